import { type AccountParameters, FirmproofError, type Signer, shortSigner } from '@firmproof/protocol';
import { parseTeamRule, withSigners } from '../../team.ts';

export type TeamFlags = {
  readonly signer: readonly string[];
  /** `false` for --no-recovery. */
  readonly recovery?: string | false;
  readonly recoverySigner: readonly string[];
  readonly passkeysAlone?: boolean;
  readonly withoutOwnKey?: boolean;
};

export type TeamRule = ReturnType<typeof parseTeamRule>;

/** What the options of `setup --team` say of the team, each read by itself. */
export type TeamOptions = {
  readonly rule: TeamRule;
  readonly signers: readonly Signer[];
  /** `false` for none; undefined where nothing is said. */
  readonly recovery: TeamRule | false | undefined;
  readonly recoverySigners: readonly Signer[];
  readonly passkeysAlone: boolean;
  readonly withoutOwnKey: boolean;
};

/** @throws FirmproofError `usage-invalid`, `signer-invalid`, `signers-invalid` for a key that is given twice */
export function readTeamOptions(team: string, flags: TeamFlags): TeamOptions {
  return {
    rule: parseTeamRule(team),
    signers: withSigners([], flags.signer),
    recovery: typeof flags.recovery === 'string' ? parseTeamRule(flags.recovery) : flags.recovery,
    recoverySigners: withSigners([], flags.recoverySigner),
    passkeysAlone: flags.passkeysAlone ?? false,
    withoutOwnKey: flags.withoutOwnKey ?? false,
  };
}

/**
 * What is wrong with the options of a new team before anybody is asked or a key is made.
 * @param own `null` for a key that is still to be made.
 * @throws FirmproofError `usage-invalid`
 */
export function requireTeam(options: TeamOptions, own: Signer | null, isInteractive: boolean): void {
  const { rule, signers, recovery, recoverySigners, withoutOwnKey } = options;
  const isOwnAdded = !withoutOwnKey && (own === null || !signers.includes(own));
  const present = signers.length + (isOwnAdded ? 1 : 0);
  if (present > rule.count || (present < rule.count && !isInteractive)) {
    const why = `${rule.count} signers are needed, and ${withoutOwnKey ? 'without' : 'with'} your own key there are ${present}`;
    throw new FirmproofError('usage-invalid', why, {
      hint: 'Give --signer once for each of the others, as their `firmproof signer show` prints it.',
    });
  }
  if (recovery !== undefined) requireRecovery(recovery, recoverySigners, isInteractive);
  if (isInteractive) return;
  if (recovery === undefined) {
    throw new FirmproofError('usage-invalid', 'recovery is neither given nor left out', {
      hint: 'Give --recovery 2-of-3 and --recovery-signer once for each of them; or --no-recovery: then too many lost keys are the end of the account.',
    });
  }
  if (own && !isOwnAdded) requireOwnKey(own, signers, recoverySigners);
}

/** As many recovery signers as the rule says. @throws FirmproofError `usage-invalid` */
export function requireRecovery(
  rule: TeamRule | false,
  recoverySigners: readonly Signer[],
  isInteractive: boolean,
): void {
  const count = rule ? rule.count : 0;
  const present = recoverySigners.length;
  if (present === count || (present < count && isInteractive)) return;
  throw new FirmproofError('usage-invalid', `${count} recovery signers are needed, and there are ${present}`, {
    hint: 'Give --recovery 2-of-3 and --recovery-signer once for each of them.',
  });
}

/** @throws FirmproofError `usage-invalid` */
export function requireOwnKey(own: Signer, signers: readonly Signer[], recoverySigners: readonly Signer[]): void {
  if (signers.includes(own) || recoverySigners.includes(own)) return;
  throw new FirmproofError('usage-invalid', 'your own key is neither a signer nor a recovery signer', {
    hint: 'Only who belongs to the team can set it up. Give your own line with --recovery-signer.',
  });
}

const ruleText = (threshold: number, count: number) => (count === 0 ? 'none' : `${threshold}-of-${count}`);

/**
 * In what the options name another team than the one that is there. What is left out is as before; so are signers that a
 * person on a terminal was asked for.
 */
export function differencesFrom(
  options: TeamOptions,
  present: AccountParameters,
  own: Signer,
  isInteractive: boolean,
): string[] {
  const { rule, recovery, recoverySigners, passkeysAlone, withoutOwnKey } = options;
  const isSigner = present.signers.includes(own);
  const signers = [...options.signers];
  if (signers.length > 0 && isSigner && !withoutOwnKey && !signers.includes(own)) signers.push(own);
  const others = present.signers.length - (isSigner ? 1 : 0);
  const found: string[] = [];
  const compare = (what: string, before: string, now: string) => {
    if (before !== now) found.push(`${what} is ${before}, not ${now}`);
  };
  compare('the rule', ruleText(present.threshold, present.signers.length), ruleText(rule.threshold, rule.count));
  found.push(...differingSigners('signer', signers, present.signers, isInteractive && options.signers.length < others));
  if (withoutOwnKey && isSigner && options.signers.length === 0) found.push('your own key is a signer');
  if (recovery !== undefined) {
    const now = recovery ? ruleText(recovery.threshold, recovery.count) : 'none';
    compare('recovery', ruleText(present.recoveryThreshold, present.recoverySigners.length), now);
  }
  const isAsked = isInteractive && recoverySigners.length < present.recoverySigners.length;
  found.push(...differingSigners('recovery signer', recoverySigners, present.recoverySigners, isAsked));
  if (passkeysAlone && !present.passkeysAlone) found.push('passkeys do not approve alone (--passkeys-alone)');
  return found;
}

/** @param isPart Whether those given may be some of them only. */
function differingSigners(
  what: string,
  given: readonly Signer[],
  before: readonly Signer[],
  isPart: boolean,
): string[] {
  if (given.length === 0) return [];
  const comes = given.filter((signer) => !before.includes(signer));
  const goes = isPart ? [] : before.filter((signer) => !given.includes(signer));
  return [
    ...comes.map((signer) => `${shortSigner(signer)} is no ${what}`),
    ...goes.map((signer) => `${shortSigner(signer)} is a ${what} and is not given`),
  ];
}
