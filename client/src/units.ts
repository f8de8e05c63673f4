import { FirmproofError } from '@firmproof/protocol';

const secondsOf = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** `72h`, `30m`, `7d`, `90s`, `2w`, in seconds. @throws FirmproofError `usage-invalid` */
export function parseDurationSeconds(text: string): number {
  const found = /^(\d{1,9})([smhdw])$/.exec(text);
  if (!found)
    throw new FirmproofError('usage-invalid', `"${text}" is no duration`, { hint: 'Write 90s, 30m, 72h, 7d or 2w.' });
  return Number(found[1]) * secondsOf[found[2] as keyof typeof secondsOf];
}

/** `1%`, `0.5%`, `100%`, in basis points. @throws FirmproofError `usage-invalid` */
export function parseShareBasisPoints(text: string): number {
  const found = /^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(text);
  const basisPoints = Math.round(Number(found?.[1] ?? Number.NaN) * 100);
  if (!(basisPoints >= 0 && basisPoints <= 10_000)) {
    throw new FirmproofError('usage-invalid', `"${text}" is no share of the fleet`, {
      hint: 'Write 1%, 12.5% or 100%.',
    });
  }
  return basisPoints;
}

/** Whole number in a range. @throws FirmproofError `usage-invalid` */
export function parseWholeNumber(text: string, name: string, maximum = 2 ** 32 - 1, minimum = 0): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= minimum && value <= maximum)) {
    const range = minimum > 0 ? `from ${minimum} to ${maximum}` : `up to ${maximum}`;
    throw new FirmproofError('usage-invalid', `${name}: "${text}" is no whole number ${range}`);
  }
  return value;
}
