import {
  type AccountResource,
  FirmproofError,
  formatSigner,
  parseSigner,
  type Signer,
  shortSigner,
} from '@firmproof/protocol';
import type { AccountChange } from '@firmproof/protocol/approval';
import type { Command } from 'commander';
import { proposeChange, requirementsOf, setSigners } from '../../account-change.ts';
import { describeDanger, findSigner, type SignerSet, withSigners } from '../../team.ts';
import { parseWholeNumber } from '../../units.ts';
import type { Vendor } from '../../vendor.ts';
import { requireConsent } from '../ask.ts';
import { fields } from '../output.ts';
import type { Session } from '../session.ts';
import { untilApproved, type WaitFlags } from '../waiting.ts';
import type { Run } from './setup.ts';
import { describeRule } from './team-text.ts';

export type ChangeFlags = { readonly yes?: boolean; readonly wait?: boolean; readonly pages?: string };
type ThresholdFlags = ChangeFlags & { readonly threshold?: string };

export function withChangeOptions(command: Command): Command {
  return command
    .option('--yes', 'do not ask')
    .option('--wait', 'wait until everybody has approved who has to')
    .option('--pages <url>', 'where the approval pages are, for the link (default: the server, where it has them)');
}

export const withThreshold = (command: Command): Command =>
  withChangeOptions(command.option('--threshold <k>', 'how many have to approve afterwards (default: as many as now)'));

/** The team of this directory, as the chain shows it. */
export const currentTeam = (session: Session): Promise<AccountResource> =>
  session.client().account(session.team().account);

export const thresholdOf = ({ threshold }: ThresholdFlags, otherwise: number): number =>
  threshold === undefined ? otherwise : parseWholeNumber(threshold, '--threshold', 32);

/** Who comes and who goes, in the words of `team show`. */
function differences(before: readonly Signer[], after: readonly Signer[]): [string, string][] {
  const rows: [string, string][] = [];
  for (const signer of after) if (!before.includes(signer)) rows.push(['comes', formatSigner(signer)]);
  for (const signer of before) if (!after.includes(signer)) rows.push(['goes', shortSigner(signer)]);
  return rows;
}

const quorumNames = { current: 'signers of today', proposed: 'signers afterwards', recovery: 'recovery signers' };

/** What a change does, who has to approve it, and what is dangerous about it. */
function describeChange(team: AccountResource, change: AccountChange, chainId: number): string {
  const rows: [string, string][] = [['account', team.account]];
  const { message } = change.body;
  if (change.kind === 'set-recovery') rows.push(...differences(team.recovery.signers, change.body.message.signers));
  else if ('signers' in message) rows.push(...differences(team.signers, message.signers));
  const after = 'passkeysAlone' in message ? message : null;
  if (after) rows.push(['rule', describeRule(after)], ['so far', describeRule(team)]);
  for (const { role, threshold, signers } of requirementsOf(team, change, chainId).quorums)
    rows.push(['approved by', `${threshold} of the ${signers.length} ${quorumNames[role]}`]);
  if (team.pendingRecovery && change.kind.startsWith('set-')) rows.push(['cancels', 'the recovery that is announced']);
  const danger = after && describeDanger(after);
  return [fields(rows), ...(danger ? [`\nCareful, ${danger}.`] : [])].join('\n');
}

const notProposed = 'Nothing is proposed: run it again with what is right.';

/** Shows a change, asks, proposes it with the own approval where that counts, and tells who else has to approve. */
export async function propose(
  session: Session,
  change: (team: AccountResource) => AccountChange,
  flags: ChangeFlags,
  remarks: readonly string[] = [],
): Promise<void> {
  const team = await currentTeam(session);
  await proposeRequest(session, team, change(team), flags, remarks);
}

export async function proposeRequest(
  session: Session,
  team: AccountResource,
  change: AccountChange,
  flags: ChangeFlags,
  remarks: readonly string[],
): Promise<void> {
  const { output } = session;
  const { chainId } = await session.client().info();
  output.note([describeChange(team, change, chainId), ...remarks].join('\n'));
  await requireConsent(session, 'Propose it, with your approval?', flags.yes, notProposed);
  const vendor = await teamVendor(session);
  const proposed = await proposeChange(vendor, team, change);
  const proposal = await untilApproved(session, vendor, proposed, waitFlags(flags));
  output.result(
    {
      account: team.account,
      kind: change.kind,
      ...changeJson(team, change),
      proposal: proposal.id,
      state: proposal.state,
      ...(proposal.transaction && { transaction: proposal.transaction }),
    },
    proposal.state === 'confirmed' ? doneTexts[change.kind] : `It waits for approvals: ${proposal.id}`,
  );
}

export const teamVendor = async (session: Session): Promise<Vendor<ReturnType<Session['signerApprover']>>> =>
  session.open(session.signerApprover(session.team(), await session.approvalKey()));

/** Changes do not wait unless told to: whoever proposes one has nothing to do afterwards. */
const waitFlags = ({ wait, pages }: ChangeFlags): WaitFlags => ({
  wait: wait === true,
  ...(pages !== undefined && { pages }),
});

const doneTexts: Readonly<Record<AccountChange['kind'], string>> = {
  'set-signers': 'The signers are changed. Approvals under way have to be made anew.',
  'set-recovery': 'The recovery signers are changed.',
  'schedule-recovery': 'The new signers are announced. After 30 days: firmproof team recover --complete',
  recover: 'The new signers are in force.',
  'cancel-recovery': 'The recovery is cancelled.',
};

function changeJson(team: AccountResource, change: AccountChange): object {
  if (change.kind === 'cancel-recovery') return {};
  const { signers, threshold } = change.body.message;
  const before = change.kind === 'set-recovery' ? team.recovery.signers : team.signers;
  return {
    signers: signers.map(formatSigner),
    threshold,
    comes: signers.filter((signer) => !before.includes(signer)).map(formatSigner),
    goes: before.filter((signer) => !signers.includes(signer)).map(formatSigner),
  };
}

const newcomers = [
  '',
  'Whoever is new has to approve too where the old ones do not suffice, and should in any case: that proves that the key works.',
];

function add(session: Session, texts: readonly string[], flags: ThresholdFlags): Promise<void> {
  const change = (team: AccountResource) => {
    const signers = withSigners(team.signers, texts);
    return setSigners(team, { ...team, signers, threshold: thresholdOf(flags, team.threshold) });
  };
  return propose(session, change, flags, newcomers);
}

function remove(session: Session, texts: readonly string[], flags: ThresholdFlags): Promise<void> {
  const change = (team: AccountResource) => {
    const leaving = texts.map((text) => requireMember(findSigner(text, team.signers), team.signers));
    const signers = team.signers.filter((signer) => !leaving.includes(signer));
    return setSigners(team, withReach({ ...team, signers, threshold: thresholdOf(flags, team.threshold) }));
  };
  return propose(session, change, flags);
}

function replace(session: Session, [old, next]: readonly [string, string], flags: ChangeFlags): Promise<void> {
  const change = (team: AccountResource) => {
    const leaving = requireMember(findSigner(old, team.signers), team.signers);
    const coming = parseSigner(next.trim());
    return setSigners(team, { ...team, signers: team.signers.map((signer) => (signer === leaving ? coming : signer)) });
  };
  return propose(session, change, flags, newcomers);
}

/** @throws FirmproofError `signers-invalid` */
function withReach(set: SignerSet): SignerSet {
  if (set.threshold <= set.signers.length) return set;
  throw new FirmproofError(
    'signers-invalid',
    `${set.threshold} of the ${set.signers.length} that stay cannot be reached`,
    {
      hint: 'Lower the rule with --threshold, or use `firmproof team replace`.',
    },
  );
}

/** @throws FirmproofError `signer-unknown` */
function requireMember(signer: Signer, members: readonly Signer[]): Signer {
  if (members.includes(signer)) return signer;
  throw new FirmproofError('signer-unknown', `${shortSigner(signer)} is not a signer of this team`);
}

export function addTeamChanges(team: Command, run: Run): void {
  withThreshold(
    team.command('add').argument('<signer...>', 'the whole text of `signer show`').description('propose more signers'),
  ).action(run((session, texts: string[], flags: ThresholdFlags) => add(session, texts, flags)));
  withThreshold(
    team.command('remove').argument('<signer...>', 'as `team show` names them').description('propose that signers go'),
  ).action(run((session, texts: string[], flags: ThresholdFlags) => remove(session, texts, flags)));
  withChangeOptions(
    team
      .command('replace')
      .argument('<old>', 'as `team show` names it')
      .argument('<new>', 'the whole text of `signer show`')
      .description('propose another key in the place of one'),
  ).action(run((session, old: string, next: string, flags: ChangeFlags) => replace(session, [old, next], flags)));
}
