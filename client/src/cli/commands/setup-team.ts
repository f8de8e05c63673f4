import { join } from 'node:path';
import { vendorAccountAddress } from '@firmproof/contracts';
import {
  type AccountParameters,
  type AccountResource,
  FirmproofError,
  isFirmproofError,
  parseAddress,
  parseProductName,
  requireUsableSigners,
  type Signer,
  shortSigner,
} from '@firmproof/protocol';
import type { Team } from '../../home.ts';
import type { ProductOptions } from '../../product-setup.ts';
import { describeDanger, parseTeamRule, withSigners } from '../../team.ts';
import { ask, askWhether, requireConsent } from '../ask.ts';
import type { Session } from '../session.ts';
import type { WaitFlags } from '../waiting.ts';
import { createProduct } from './create-product.ts';
import { type ProductFlags, productOptions } from './product-options.ts';
import { describeAccount } from './team-text.ts';

export type SetupFlags = ProductFlags &
  WaitFlags & {
    readonly team?: string;
    readonly signer: readonly string[];
    /** `false` for --no-recovery. */
    readonly recovery?: string | false;
    readonly recoverySigner: readonly string[];
    readonly passkeysAlone?: boolean;
    readonly withoutOwnKey?: boolean;
    readonly product?: string;
  };

type TeamRule = ReturnType<typeof parseTeamRule>;

/**
 * A team with its account, and its first product. Each step looks at what is there already, so the same command goes on
 * wherever it was interrupted.
 */
export async function setupTeam(session: Session, flags: SetupFlags & { readonly team: string }): Promise<void> {
  const { home } = session;
  const rule = parseTeamRule(flags.team);
  const info = await session.client().info();
  const name = flags.product ?? (await ask(session, 'Name of the product', '--product', parseProductName));
  const options = await productOptions(session, info, parseProductName(name), flags);
  const begun = await whatIsThere(session, rule, flags);
  await session.pinRegistry(info);
  await makeKeys(session);
  await home.change({ server: session.server });
  const team = begun ?? (await chooseTeam(session, rule, flags));
  await makeProduct(session, team, options, flags);
}

/**
 * The account that this directory belongs to; null while there is none, or one that was never made and is to be another.
 * @throws FirmproofError `setup-exists` for another team than the one asked for, `signer-invalid`
 */
async function whatIsThere(session: Session, rule: TeamRule, flags: SetupFlags): Promise<Team | null> {
  const given = withSigners([], flags.signer);
  const { team } = session.home.settings;
  if (!team) return null;
  const account = await session.client().account(team.account).catch(notFound);
  if (account === null && !team.parameters)
    throw new FirmproofError('account-not-found', `this server knows no vendor account at ${team.account}`);
  const { signers, threshold } = account ?? (team.parameters as AccountParameters);
  const isSame =
    threshold === rule.threshold && signers.length === rule.count && given.every((signer) => signers.includes(signer));
  if (isSame) return account ? { account: team.account } : team;
  if (account === null) return null;
  throw new FirmproofError('setup-exists', `this directory belongs to the team of ${team.account}`, {
    hint: 'Change the team with `firmproof team add` or `team remove`, or choose another directory with --home.',
  });
}

function notFound(error: unknown): null {
  if (isFirmproofError(error) && error.code === 'account-not-found') return null;
  throw error;
}

async function makeKeys(session: Session): Promise<void> {
  const { home, output } = session;
  if (home.hasKeys()) return;
  output.note(`Keys in ${join(home.directory, 'keys')}, encrypted with your passphrase`);
  await home.makeKeys(await session.passphrase({ isNew: !home.hasKeyFiles() }));
}

/** The team that is asked for, with the address that its account will have. Kept before anything is sent. */
async function chooseTeam(session: Session, rule: TeamRule, flags: SetupFlags): Promise<Team> {
  const own = await session.signer();
  const signers = await chooseSigners(session, rule, flags, own);
  const recovery = await chooseRecovery(session, rule, flags);
  if (!signers.includes(own) && !recovery.recoverySigners.includes(own)) {
    throw new FirmproofError('usage-invalid', 'your own key is neither a signer nor a recovery signer', {
      hint: 'Only who belongs to the team can set it up. Give your own line with --recovery-signer.',
    });
  }
  const parameters: AccountParameters = {
    signers,
    threshold: rule.threshold,
    passkeysAlone: flags.passkeysAlone ?? false,
    ...recovery,
  };
  requireUsableSigners(signers, parameters.threshold, parameters.passkeysAlone);
  // Computed here: a server that names another address names an account of its own.
  const account = parseAddress(vendorAccountAddress(parameters));
  session.output.note(`\n${describeAccount(asAccount(account, parameters), own)}\n`);
  const danger = describeDanger(parameters);
  if (danger) session.output.note(`Careful, ${danger}.\n`);
  if (session.output.isInteractive) await requireConsent(session, 'Make this account?', false);
  const team = { account, parameters };
  await session.home.change({ team });
  return team;
}

const asAccount = (account: Team['account'], parameters: AccountParameters): AccountResource => ({
  account,
  epoch: 1,
  threshold: parameters.threshold,
  passkeysAlone: parameters.passkeysAlone,
  signers: parameters.signers,
  recovery: { epoch: 1, threshold: parameters.recoveryThreshold, signers: parameters.recoverySigners },
});

async function chooseSigners(session: Session, { count }: TeamRule, flags: SetupFlags, own: Signer) {
  const { output } = session;
  const signers = withSigners([], flags.signer);
  if (!flags.withoutOwnKey && !signers.includes(own)) signers.unshift(own);
  if (signers.length > count || (signers.length < count && !output.isInteractive)) {
    throw new FirmproofError(
      'usage-invalid',
      `${count} signers are needed, and ${flags.withoutOwnKey ? 'without' : 'with'} your own key there are ${signers.length}`,
      {
        hint: 'Give --signer once for each of the others, as their `firmproof signer show` prints it.',
      },
    );
  }
  if (signers.length < count)
    output.note('Each of the others runs `firmproof signer new` and tells you the line that it prints.');
  for (const [index, signer] of signers.entries())
    output.note(`  Signer ${index + 1} of ${count}: ${shortSigner(signer)}${signer === own ? ' (you)' : ''}`);
  while (signers.length < count)
    signers.push(await askSigner(session, `Signer ${signers.length + 1} of ${count}`, signers));
  return signers;
}

const askSigner = (session: Session, message: string, present: readonly Signer[]) =>
  ask(session, message, '--signer', (text) => lastOf(withSigners(present, [text])));

const lastOf = (signers: readonly Signer[]) => signers.at(-1) as Signer;

async function chooseRecovery(session: Session, team: TeamRule, flags: SetupFlags) {
  const rule = await chooseRecoveryRule(session, team, flags);
  const recoverySigners = withSigners([], flags.recoverySigner);
  const { threshold, count } = rule ?? { threshold: 0, count: 0 };
  if (recoverySigners.length > count || (recoverySigners.length < count && !session.output.isInteractive)) {
    const why = `${count} recovery signers are needed, and there are ${recoverySigners.length}`;
    throw new FirmproofError('usage-invalid', why, {
      hint: 'Give --recovery 2-of-3 and --recovery-signer once for each of them.',
    });
  }
  while (recoverySigners.length < count) {
    const message = `Recovery signer ${recoverySigners.length + 1} of ${count}`;
    recoverySigners.push(await askSigner(session, message, recoverySigners));
  }
  if (rule) requireUsableSigners(recoverySigners, threshold, true);
  return { recoverySigners, recoveryThreshold: threshold };
}

async function chooseRecoveryRule(
  session: Session,
  { threshold, count }: TeamRule,
  flags: SetupFlags,
): Promise<TeamRule | null> {
  if (flags.recovery) return parseTeamRule(flags.recovery);
  const { output } = session;
  const lost = count - threshold + 1;
  output.note(
    [
      '',
      `When ${lost} of the ${count} keys ${lost === 1 ? 'is' : 'are'} lost, the team cannot approve any more: no release, no change, ever.`,
      'Recovery signers can then name new signers. That takes 30 days, in which the present ones can stop it.',
    ].join('\n'),
  );
  const isWanted =
    flags.recovery !== false && (flags.recoverySigner.length > 0 || (await askWhether(session, 'Set up recovery?')));
  if (!isWanted) {
    output.note('Without recovery. It can be set up later: firmproof team recovery');
    return null;
  }
  return ask(session, 'How many of how many recovery signers, for example 2-of-3', '--recovery', parseTeamRule);
}

/** The account, where it is not there yet, then its product. */
async function makeProduct(session: Session, team: Team, options: ProductOptions, flags: SetupFlags): Promise<void> {
  const { home, output } = session;
  const key = await session.approvalKey();
  if (team.parameters) {
    const founder = await session.open(session.signerApprover(team, key));
    output.note(`Making the account ${team.account}`);
    const proposal = await founder.client.createAccount(team.parameters);
    await session.follow(founder, proposal, { wait: true });
  }
  const account = await session.client().account(team.account);
  if (team.parameters && account.signers.join() !== team.parameters.signers.join()) {
    throw new FirmproofError('server-lied', `the server shows other signers of ${team.account} than it was made with`);
  }
  await home.change({ team: { account: team.account } });
  const vendor = await session.open(session.signerApprover({ account: team.account }, key));
  const { signers, threshold } = account;
  await createProduct(session, vendor, options, flags, { account: team.account, signers, threshold });
}
