import {
  FirmproofError,
  formatSigner,
  maximumSigners,
  parseSigner,
  requireUsableSigners,
  type Signer,
  shortSigner,
  signerKind,
} from '@firmproof/protocol';

/** `threshold` of `signers` have to approve; unless `passkeysAlone`, one of those outside a browser. */
export type SignerSet = {
  readonly signers: readonly Signer[];
  readonly threshold: number;
  readonly passkeysAlone: boolean;
};

/** `2-of-3`. @throws FirmproofError `usage-invalid` */
export function parseTeamRule(text: string): { readonly threshold: number; readonly count: number } {
  const found = /^([1-9]\d?)-of-([1-9]\d?)$/.exec(text);
  const [threshold, count] = [Number(found?.[1]), Number(found?.[2])];
  const mistake = mistakeOf(threshold, count);
  if (mistake === null) return { threshold, count };
  throw new FirmproofError('usage-invalid', `"${text}" is no rule for a team: ${mistake}`, {
    hint: 'Write 2-of-3: two of three signers have to approve. At most 32 signers.',
  });
}

/** @param threshold Not a number, like the count, where the text is none of this form. */
function mistakeOf(threshold: number, count: number): string | null {
  if (Number.isNaN(threshold)) return 'it is not so many of so many';
  if (threshold > count) return `more are needed (${threshold}) than there are (${count})`;
  return count > maximumSigners ? `more than ${maximumSigners} signers` : null;
}

/** How many keys may get lost, whichever they are, before nobody can approve any more. */
export function reserveOf({ signers, threshold, passkeysAlone }: SignerSet): number {
  const outside = signers.filter((signer) => signerKind(signer) !== 'passkey').length;
  const spare = signers.length - threshold;
  return passkeysAlone ? spare : Math.min(spare, outside - 1);
}

/** Why a set is in danger, for people; null for one that survives the loss of a key. */
export function describeDanger(set: SignerSet): string | null {
  if (reserveOf(set) > 0) return null;
  if (set.signers.length === set.threshold) {
    return `no reserve: all ${set.threshold} keys are needed, so when one is lost, nobody can approve any more`;
  }
  return 'no reserve: only one key approves outside a browser, so when it is lost, nobody can approve any more';
}

/**
 * A signer by its text, or, among those that are known, by a part of it as `team show` prints it: `wallet:0x12ab34…cd56`, or
 * the first digits.
 * @throws FirmproofError `signer-invalid`
 */
export function findSigner(text: string, known: readonly Signer[]): Signer {
  const found = known.filter((signer) => isNamedBy(signer, text.trim().toLowerCase()));
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  if (only) {
    throw new FirmproofError('signer-invalid', `"${text}" could be any of ${found.map(shortSigner).join(', ')}`, {
      hint: 'Write more of it.',
    });
  }
  return parseSigner(text.trim());
}

const fewestDigits = 4;

function isNamedBy(signer: Signer, text: string): boolean {
  const full = formatSigner(signer).toLowerCase();
  const at = full.indexOf(':') + 1;
  const wanted = text.includes(':') ? text : `${full.slice(0, at)}${text}`;
  const [start = '', end = '', ...more] = wanted.split(/…|\.\.\./);
  const digits = start.slice(at).replace(/^0x/, '').length + end.length;
  return more.length === 0 && digits >= fewestDigits && full.startsWith(start) && full.endsWith(end);
}

/**
 * The signers that are present and more, by the whole text, or as `known` ones may be named.
 * @throws FirmproofError `signer-invalid`, `signers-invalid` for a key that is there already
 */
export function withSigners(
  present: readonly Signer[],
  texts: readonly string[],
  known: readonly Signer[] = [],
): Signer[] {
  const signers = [...present];
  for (const text of texts) {
    signers.push(findSigner(text, known));
    requireUsableSigners(signers, 1, true);
  }
  return signers;
}
