import { vendorAccountAddress } from '@firmproof/contracts';
import type { Signer } from '@firmproof/protocol';
import { type AccountResource, type Address, FirmproofError, formatSigner, parseAddress } from '@firmproof/protocol';
import type { Command } from 'commander';
import { describeDanger } from '../../team.ts';
import { requireConsent } from '../ask.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';
import { addTeamChanges } from './team-change.ts';
import { addTeamRecovery } from './team-recovery.ts';
import { describeAccount } from './team-text.ts';

const roleOf = ({ signers, recovery }: AccountResource, signer: Signer | null) => {
  if (signer === null) return null;
  if (signers.includes(signer)) return 'signer';
  return recovery.signers.includes(signer) ? 'recovery-signer' : null;
};

/** As JSON says it: signers in the form that people pass on, and what the own key is. */
function accountJson(team: AccountResource, me: Signer | null): object {
  const { signers, recovery } = team;
  return {
    ...team,
    signers: signers.map(formatSigner),
    recovery: { ...recovery, signers: recovery.signers.map(formatSigner) },
    me: me && formatSigner(me),
    role: roleOf(team, me),
  };
}

async function show(session: Session, reference: string | undefined): Promise<void> {
  const account = reference === undefined ? session.team().account : parseAddress(reference);
  const team = await session.client().account(account);
  const me = session.home.hasKey('approval') ? await session.signer() : null;
  const danger = describeDanger(team);
  const text = [describeAccount(team, me), ...(danger ? [`\nCareful, ${danger}.`] : [])].join('\n');
  session.output.result(accountJson(team, me), text);
}

const notJoined = 'You have not joined it: compare the address of the account with whoever has set it up.';

/** Everything that is approved later is approved for this account, chain and registry. */
async function join(session: Session, text: string, flags: { readonly yes?: boolean }): Promise<void> {
  const { home, output } = session;
  const account = parseAddress(text);
  requireNoOther(session, account);
  const me = await session.signer();
  const client = session.client();
  const [info, team] = [await client.info(), await client.account(account)];
  requireOwnAddress(team);
  const role = roleOf(team, me);
  if (role === null) {
    throw new FirmproofError('signer-unknown', `your key ${formatSigner(me)} is not a signer of ${account}`, {
      hint: 'Whoever sets the team up has to have this very text; see `firmproof signer show`.',
    });
  }
  output.note(`${describeAccount(team, me)}\n`);
  output.note(
    `chain ${info.chainId}, registry ${info.registry}, as ${session.server} says. Compare with the others.\n`,
  );
  await requireConsent(session, 'Is this your team?', flags.yes, notJoined);
  await session.pinRegistry(info);
  await home.change({ team: { account }, server: session.server });
  output.result(
    { ...accountJson(team, me), chainId: info.chainId, registry: info.registry, home: home.directory },
    `You are a ${role.replace('-', ' ')} of ${account}. What waits for you: firmproof proposal list`,
  );
}

/**
 * The address of an account commits to its first signers. Before the first change nobody can show others.
 * @throws FirmproofError `server-lied`
 */
function requireOwnAddress({ account, signers, threshold, passkeysAlone, epoch, recovery }: AccountResource): void {
  const recoveries = { recoverySigners: recovery.signers, recoveryThreshold: recovery.threshold };
  const computed = vendorAccountAddress({ signers, threshold, passkeysAlone, ...recoveries });
  if (epoch > 1 || recovery.epoch > 1 || computed === account) return;
  throw new FirmproofError(
    'server-lied',
    `the signers that the server shows are not those that ${account} was made for`,
  );
}

function requireNoOther({ home }: Session, account: Address): void {
  const { team } = home.settings;
  if (team === undefined || team.account === account) return;
  throw new FirmproofError('setup-exists', `${home.directory} belongs to the team of ${team.account}`, {
    hint: 'For another team choose another directory with --home.',
  });
}

export function addTeam(program: Command, run: Run): void {
  const team = program.command('team').description('who approves together, and how that changes');
  team
    .command('show')
    .argument('[account]', 'of another team (default: your own)')
    .description('signers, rule, recovery')
    .action(run((session, account: string | undefined) => show(session, account)));
  team
    .command('join')
    .argument('<account>', 'as whoever has set it up tells you')
    .description('approve with your key for an account that it is a signer of')
    .option('--yes', 'do not ask')
    .action(run((session, account: string, flags: { readonly yes?: boolean }) => join(session, account, flags)));
  addTeamChanges(team, run);
  addTeamRecovery(team, run);
}
