import type { FleetDay, FleetTimeline, Version } from '@firmproof/protocol';

const maximumBands = 6;
const shownDays = 120;

/** One version over time: how many devices ran it, day by day. */
export type Band = {
  /** null: all versions that are older than those that have a band of their own. */
  readonly version: Version | null;
  readonly devices: readonly number[];
  /** 0 for the oldest; what it is coloured by. */
  readonly shade: number;
};

export type Bands = {
  /** Days since 1970, without gaps. */
  readonly days: readonly number[];
  /** Oldest version first: they are stacked in this order. */
  readonly bands: readonly Band[];
  /** The most devices of any day. */
  readonly most: number;
};

/**
 * What is drawn: every day up to today, whether something changed on it or not; older versions than the newest few are one.
 * Versions are in the order in which they were published; what devices run besides is older than all of those (A04).
 */
export function bandsOf(
  { days: changed }: Pick<FleetTimeline, 'days'>,
  published: readonly Version[],
  today: number,
): Bands {
  const first = changed[0]?.day;
  if (first === undefined) return { days: [], bands: [], most: 0 };
  const last = Math.max(today, changed.at(-1)?.day ?? first);
  const from = Math.max(first, last - shownDays + 1);
  const days = Array.from({ length: last - from + 1 }, (_, index) => from + index);
  const standing = standingOn(days, changed);
  const seen = new Set(standing.flatMap((running) => [...running.keys()]));
  const versions = [...seen].sort((a, b) => published.indexOf(a) - published.indexOf(b) || (a < b ? -1 : 1));
  const own = versions.slice(versions.length > maximumBands ? 1 - maximumBands : 0);
  const older = versions.filter((version) => !own.includes(version));
  const groups: readonly (readonly [Version | null, readonly Version[]])[] = [
    ...(older.length > 0 ? [[null, older] as const] : []),
    ...own.map((version) => [version, [version]] as const),
  ];
  const offset = maximumBands - groups.length;
  const bands = groups.map(([version, members], index) => ({
    version,
    devices: standing.map((running) => members.reduce((sum, member) => sum + (running.get(member) ?? 0), 0)),
    // The newest always looks the same.
    shade: offset + index,
  }));
  const totals = days.map((_, index) => bands.reduce((sum, { devices }) => sum + (devices[index] ?? 0), 0));
  return { days, bands, most: Math.max(...totals) };
}

function standingOn(days: readonly number[], changed: readonly FleetDay[]): readonly ReadonlyMap<Version, number>[] {
  let next = 0;
  let running: ReadonlyMap<Version, number> = new Map();
  return days.map((day) => {
    for (let one = changed[next]; one !== undefined && one.day <= day; one = changed[next]) {
      running = new Map(one.running.map(({ version, devices }) => [version, devices]));
      next += 1;
    }
    return running;
  });
}

/** Moves labels apart that would lie upon each other, as little as it takes; positions and gap in per cent, from the top. */
export function spreadLabels(positions: readonly number[], gap: number): readonly number[] {
  const order = positions.map((position, index) => ({ position, index })).sort((a, b) => a.position - b.position);
  const placed: number[] = [];
  for (const { position } of order) placed.push(Math.max(position, (placed.at(-1) ?? Number.NEGATIVE_INFINITY) + gap));
  let ceiling = 100 - gap / 2;
  for (let at = placed.length - 1; at >= 0; at -= 1) {
    placed[at] = Math.min(placed[at] ?? 0, ceiling);
    ceiling = (placed[at] ?? 0) - gap;
  }
  const spread = Array.from<number>({ length: positions.length });
  for (const [at, { index }] of order.entries()) spread[index] = placed[at] ?? 0;
  return spread;
}

export const dayInWords = (day: number): string =>
  new Date(day * 86_400_000).toLocaleDateString('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
