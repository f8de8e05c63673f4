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
import { ask, askWhether, requireConsent, requireSomebodyToAsk } from '../ask.ts';
import type { Session } from '../session.ts';
import type { WaitFlags } from '../waiting.ts';
import { createProduct } from './create-product.ts';
import { type ProductFlags, productOptions } from './product-options.ts';
import {
  differencesFrom,
  readTeamOptions,
  requireOwnKey,
  requireRecovery,
  requireTeam,
  type TeamFlags,
  type TeamOptions,
  type TeamRule,
} from './setup-plan.ts';
import { describeAccount } from './team-text.ts';

export type SetupFlags = ProductFlags &
  WaitFlags &
  TeamFlags & { readonly team?: string; readonly product?: string; readonly yes?: boolean };

/** Who belongs to the team, and its account as it is on chain, or will be. */
type Begun = { readonly team: Team; readonly account: AccountResource };

/**
 * A team with its account, and its first product. Each step looks at what is there already, so the same command goes on
 * wherever it was interrupted.
 */
export async function setupTeam(session: Session, flags: SetupFlags & { readonly team: string }): Promise<void> {
  const { home, output } = session;
  const options = readTeamOptions(flags.team, flags);
  const info = await session.client().info();
  const name = flags.product ?? (await ask(session, 'Name of the product', '--product', parseProductName));
  const product = await productOptions(session, info, parseProductName(name), flags);
  const begun = await whatIsThere(session, options);
  if (begun === null) requireTeam(options, await ownSigner(session, options), output.isInteractive);
  const isToBeMade = begun === null || begun.team.parameters !== undefined;
  if (isToBeMade) requireSomebodyToAsk(session, flags.yes);
  await session.pinRegistry(info);
  // Without a key there is nobody to be a signer.
  if (!home.hasKey('approval')) await makeKeys(session);
  const { team, account } = begun ?? (await chooseTeam(session, options));
  output.note(`\n${describeAccount(account, await session.signer())}\n`);
  const danger = describeDanger(account);
  if (danger) output.note(`Careful, ${danger}.\n`);
  if (isToBeMade) await requireConsent(session, 'Make this account?', flags.yes, notMade);
  // Kept before anything is sent.
  await home.change({ team, server: session.server });
  await makeKeys(session);
  await makeProduct(session, team, product, flags);
}

const notMade = 'There is no account yet: run it again with the signers and the rule that are right.';

/** The own key as a signer; null where it is still to be made. @throws FirmproofError `key-not-found` */
async function ownSigner(session: Session, { withoutOwnKey }: TeamOptions): Promise<Signer | null> {
  return withoutOwnKey || session.home.hasKey('approval') ? session.signer() : null;
}

/**
 * The team that this directory belongs to; null while there is none.
 * @throws FirmproofError `setup-exists` for another team than the one asked for, `usage-invalid`
 */
async function whatIsThere(session: Session, options: TeamOptions): Promise<Begun | null> {
  const { home, output } = session;
  const { team } = home.settings;
  if (!team) return null;
  const { recovery, recoverySigners } = options;
  if (recovery !== undefined && recoverySigners.length > 0)
    requireRecovery(recovery, recoverySigners, output.isInteractive);
  const onChain = await session.client().account(team.account).catch(notFound);
  if (onChain === null && !team.parameters)
    throw new FirmproofError('account-not-found', `this server knows no vendor account at ${team.account}`);
  const account = onChain ?? asAccount(team.account, team.parameters as AccountParameters);
  const differences = differencesFrom(options, parametersOf(account), await session.signer(), output.isInteractive);
  if (differences.length > 0) {
    const why = `this directory belongs to the team of ${team.account}: ${differences.join('; ')}`;
    const change = onChain ? 'change the team with `firmproof team`; ' : '';
    throw new FirmproofError('setup-exists', why, {
      hint: `Leave these options out to go on with it; ${change}for another team choose another directory with --home.`,
    });
  }
  return { team: onChain ? { account: team.account } : team, account };
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

/** The team that is asked for, with the address that its account will have. */
async function chooseTeam(session: Session, options: TeamOptions): Promise<Begun> {
  const own = await session.signer();
  const { rule, passkeysAlone } = options;
  const signers = await chooseSigners(session, options, own);
  const recovery = await chooseRecovery(session, options);
  requireOwnKey(own, signers, recovery.recoverySigners);
  const parameters: AccountParameters = { signers, threshold: rule.threshold, passkeysAlone, ...recovery };
  requireUsableSigners(signers, parameters.threshold, passkeysAlone);
  // Computed here: a server that names another address names an account of its own.
  const account = parseAddress(vendorAccountAddress(parameters));
  return { team: { account, parameters }, account: asAccount(account, parameters) };
}

const asAccount = (account: Team['account'], parameters: AccountParameters): AccountResource => ({
  account,
  epoch: 1,
  threshold: parameters.threshold,
  passkeysAlone: parameters.passkeysAlone,
  signers: parameters.signers,
  recovery: { epoch: 1, threshold: parameters.recoveryThreshold, signers: parameters.recoverySigners },
});

const parametersOf = ({ signers, threshold, passkeysAlone, recovery }: AccountResource): AccountParameters => ({
  signers,
  threshold,
  passkeysAlone,
  recoverySigners: recovery.signers,
  recoveryThreshold: recovery.threshold,
});

async function chooseSigners(session: Session, options: TeamOptions, own: Signer): Promise<Signer[]> {
  const { output } = session;
  const { count } = options.rule;
  const signers = [...options.signers];
  if (!options.withoutOwnKey && !signers.includes(own)) signers.unshift(own);
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

async function chooseRecovery(session: Session, options: TeamOptions) {
  const rule = await chooseRecoveryRule(session, options);
  const recoverySigners = [...options.recoverySigners];
  requireRecovery(rule, recoverySigners, session.output.isInteractive);
  const { threshold, count } = rule || { threshold: 0, count: 0 };
  while (recoverySigners.length < count) {
    const message = `Recovery signer ${recoverySigners.length + 1} of ${count}`;
    recoverySigners.push(await askSigner(session, message, recoverySigners));
  }
  if (rule) requireUsableSigners(recoverySigners, threshold, true);
  return { recoverySigners, recoveryThreshold: threshold };
}

async function chooseRecoveryRule(session: Session, options: TeamOptions): Promise<TeamRule | false> {
  const { recovery, recoverySigners } = options;
  const { threshold, count } = options.rule;
  if (recovery) return recovery;
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
    recovery !== false && (recoverySigners.length > 0 || (await askWhether(session, 'Set up recovery?')));
  if (!isWanted) {
    output.note('Without recovery. It can be set up later: firmproof team recovery');
    return false;
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
