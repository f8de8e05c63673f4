import { FirmproofError } from '@firmproof/protocol';

const unitSeconds = { m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** A length of time as people write it, in seconds: 90m, 12h, 3d, 2w. @throws FirmproofError `usage-invalid` */
export function parseDurationSeconds(text: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([mhdw])$/.exec(text) ?? [];
  if (count === '')
    throw new FirmproofError('usage-invalid', `"${text}" is no length of time: write 90m, 12h, 3d or 2w`);
  return Number(count) * unitSeconds[unit as keyof typeof unitSeconds];
}

/** A day (its beginning, UTC) or a time with its offset, in seconds since 1970. @throws FirmproofError `usage-invalid` */
export function parseTimeSeconds(text: string): number {
  const isTime = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const milliseconds = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds))
    throw new FirmproofError('usage-invalid', `"${text}" is no time: write 2027-01-31 or 2027-01-31T06:00Z`);
  return milliseconds / 1000;
}

/** For people and logs: a time of the device's trusted clock. */
export const timeText = (seconds: number): string =>
  `${new Date(Math.floor(seconds) * 1000).toISOString().slice(0, 16)}Z`;
