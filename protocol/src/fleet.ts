import * as z from 'zod';
import type { Sha256Digest } from './digest.ts';
import { type ProductId, productIdSchema, type Version, versionSchema } from './names.ts';
import { type Receipt, receiptResults } from './receipt.ts';

const count = z.int().min(0);
const daySeconds = 86_400;

const runningSchema = z.object({ version: versionSchema, devices: count.min(1) });
const daySchema = z.object({
  day: count.meta({ description: 'Whole days since 1970, UTC.' }),
  running: z.array(runningSchema).meta({ description: 'How many devices ran which version at the end of the day.' }),
});
/** One day on which something changed, and how things stood at its end. */
export type FleetDay = z.infer<typeof daySchema>;

const outcomesSchema = z.object({
  version: versionSchema.meta({ description: 'The release that was to be installed.' }),
  result: z.enum(receiptResults),
  code: z.string().max(64).nullable(),
  receipts: count.min(1),
});
/** How often one thing became of a release. */
export type FleetOutcomes = z.infer<typeof outcomesSchema>;

/** How many changed days an answer has at most: what lies before them is in the first of them. */
export const maximumFleetDays = 1000;
const maximumOutcomeRows = 10_000;

export const fleetTimelineSchema = z
  .object({
    product: productIdSchema,
    days: z.array(daySchema).max(maximumFleetDays),
    outcomes: z.array(outcomesSchema).max(maximumOutcomeRows),
  })
  .meta({
    id: 'FleetTimeline',
    description: 'What devices have run and what became of releases, counted by this server. Receipts prove it.',
  });
export type FleetTimeline = z.infer<typeof fleetTimelineSchema>;

/** So many devices more (or fewer, below zero) run a version from a day on. */
export type FleetChange = { readonly day: number; readonly version: Version; readonly devices: number };

/** The day that a receipt is about: a clock that runs ahead does not carry it past the time when it was received. */
export const dayOfReceipt = (timeSeconds: number, receivedAtSeconds: number): number =>
  Math.floor(Math.min(timeSeconds, receivedAtSeconds) / daySeconds);

/** What a receipt changes, after the one before it of the same device; a device's first has none before it. */
export function changesOf(day: number, before: Version | null, now: Version): readonly FleetChange[] {
  if (before === now) return [];
  return [{ day, version: now, devices: 1 }, ...(before === null ? [] : [{ day, version: before, devices: -1 }])];
}

/** From changes in any order to how things stood at the end of each day that has one; the last `maximumFleetDays` of them. */
export function fleetDays(changes: readonly FleetChange[]): readonly FleetDay[] {
  const running = new Map<Version, number>();
  const byDay = Map.groupBy(changes, ({ day }) => day);
  const days = [...byDay.keys()].sort((a, b) => a - b);
  const all = days.map((day): FleetDay => {
    for (const { version, devices } of byDay.get(day) ?? [])
      running.set(version, (running.get(version) ?? 0) + devices);
    // Below zero only while a clock that was set back makes a device leave a version before it came to it.
    const some = [...running].filter(([, devices]) => devices > 0).sort(([a], [b]) => (a < b ? -1 : 1));
    return { day, running: some.map(([version, devices]) => ({ version, devices })) };
  });
  return all.slice(-maximumFleetDays);
}

type Counted = { readonly receipt: Receipt; readonly receivedAt: number; readonly keyDigest: Sha256Digest };

/** Counts receipts as a server counts them, for whoever would rather count than believe. */
export class FleetTally {
  readonly #changes = new Map<string, FleetChange>();
  readonly #outcomes = new Map<string, FleetOutcomes>();
  readonly #running = new Map<string, { counter: number; version: Version }>();

  /** A device is a key: its receipts in the order of their counters; what comes with a counter that is not higher is left out. */
  take({ receipt, receivedAt, keyDigest }: Counted): boolean {
    const { counter, running, outcome, time } = receipt;
    const before = this.#running.get(keyDigest);
    if (before !== undefined && counter <= before.counter) return false;
    this.#running.set(keyDigest, { counter, version: running.version });
    for (const change of changesOf(dayOfReceipt(time, receivedAt), before?.version ?? null, running.version)) {
      const key = `${change.day} ${change.version}`;
      const devices = (this.#changes.get(key)?.devices ?? 0) + change.devices;
      this.#changes.set(key, { ...change, devices });
    }
    if (outcome) {
      const { version, result, code = null } = outcome;
      const key = JSON.stringify([version, result, code]);
      this.#outcomes.set(key, { version, result, code, receipts: (this.#outcomes.get(key)?.receipts ?? 0) + 1 });
    }
    return true;
  }

  /** How many devices were heard. */
  get devices(): number {
    return this.#running.size;
  }

  timeline(product: ProductId): FleetTimeline {
    return {
      product,
      days: [...fleetDays([...this.#changes.values()])],
      outcomes: sortedOutcomes(this.#outcomes.values()),
    };
  }
}

/** By version, then result, then code. */
export function sortedOutcomes(outcomes: Iterable<FleetOutcomes>): FleetOutcomes[] {
  const key = ({ version, result, code }: FleetOutcomes) => `${version}\n${result}\n${code ?? ''}`;
  return [...outcomes].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
