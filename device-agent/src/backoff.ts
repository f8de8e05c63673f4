import type { DeviceCode } from '@firmproof/protocol';

/** How many checks in a row came to nothing, for the same reason. */
export type Retries = { readonly code: string | null; readonly count: number };

export const noRetries: Retries = { code: null, count: 0 };

/** The first wait, doubled with each repetition up to the poll interval (docs/spec/device.md D41). */
const firstWaitSeconds: Partial<Record<DeviceCode, number>> = {
  // A network that is down comes back.
  unavailable: 120,
  'download-too-slow': 300,
  'redirect-refused': 300,
  // Witnesses are late more often than they lie.
  'no-quorum': 300,
  // Somebody has to renew the evidence, or a clock has to be doubted.
  stale: 900,
  // Whoever revokes will soon promote something else.
  'head-revoked': 1800,
  // Somebody lies: asking often helps nobody.
  equivocation: 7200,
};
const firstWaitAfterRefusalSeconds = 900;

const maximumDoublings = 20;

export function countRetries(before: Retries, result: { readonly outcome: string; readonly code?: string }): Retries {
  const { outcome, code } = result;
  if (code === undefined || !isRetried(outcome, code)) return noRetries;
  return { code, count: before.code === code ? Math.min(before.count + 1, maximumDoublings) : 1 };
}

const isRetried = (outcome: string, code: string) =>
  outcome === 'unproven' || outcome === 'refused' || code === 'head-revoked';

/**
 * Seconds until the next check: the poll interval, or sooner where the last one came to nothing. Both are spread by ± 50 %, so a fleet never asks at
 * once, and one that an outage has pulled together drifts apart again (D45).
 * @param random from 0 up to 1
 */
export function waitSeconds(pollHours: number, { code, count }: Retries, random: number): number {
  const poll = pollHours * 3600;
  const first = firstWaitSeconds[code as DeviceCode] ?? firstWaitAfterRefusalSeconds;
  const base = count === 0 ? poll : Math.min(poll, first * 2 ** Math.min(count - 1, maximumDoublings));
  return base * (0.5 + random);
}

/** How far devices spread that start at the same moment, after a blackout for instance. */
const startSpreadSeconds = 600;

/**
 * Seconds until the first check of a process. A restart within one boot keeps to what was planned, so a crashing agent asks no more often than
 * a healthy one (D45); after a boot nobody knows how long the device was off, so it asks soon.
 */
export function waitAtStart(
  planned: { readonly dueSeconds: number; readonly isThisBoot: boolean } | null,
  nowSeconds: number,
  pollHours: number,
  random: number,
): number {
  if (planned === null) return 0;
  const poll = pollHours * 3600;
  if (!planned.isThisBoot) return random * Math.min(startSpreadSeconds, poll);
  return Math.min(Math.max(0, planned.dueSeconds - nowSeconds), poll * 1.5);
}
