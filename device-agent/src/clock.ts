import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Journal, JournalEntry } from './journal.ts';

/** A clock that only goes forward, and a name for how long it does: uptime counts on between processes of one boot. */
export type MonotonicTime = { readonly bootId: string; readonly uptimeSeconds: () => number };

/** That of the machine. It counts the time that a device sleeps, not the time that it is off. */
export function machineTime(): MonotonicTime {
  return { bootId: currentBootId(), uptimeSeconds: uptime };
}

function currentBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

/**
 * Trusted time: max(build time, what was persisted) plus what has passed since. The wall clock is never asked: it may say
 * 1970 or 2100 (docs/spec/device.md, "Trusted time").
 */
export function createClock(journal: Journal, buildTimeSeconds: number, time: MonotonicTime = machineTime()) {
  const passed = (): number => {
    const { bootId: then, uptimeSeconds } = journal.entry.time;
    const now = time.uptimeSeconds();
    // What was persisted in an earlier boot is at least as old as this boot.
    return then === time.bootId ? Math.max(0, now - uptimeSeconds) : then === '' ? 0 : now;
  };
  const nowSeconds = (): number => Math.max(buildTimeSeconds, journal.entry.time.seconds + passed());
  /** What has really passed: a block's timestamp that makes time jump does not add to it. */
  const silentSeconds = (): number => journal.entry.time.silentSeconds + passed();
  const at = (seconds: number, silence: number): JournalEntry['time'] => ({
    seconds,
    bootId: time.bootId,
    uptimeSeconds: time.uptimeSeconds(),
    silentSeconds: silence,
  });
  return {
    nowSeconds,
    /** Device time since evidence last verified (D15). */
    silentSeconds,
    /** Time as it will be remembered. */
    snapshot: () => at(nowSeconds(), silentSeconds()),
    /** Evidence has verified: never earlier than now or than its block; a new trust root starts again at the block. */
    proven: (blockSeconds: number, options: { readonly isNewRoot: boolean }) =>
      at(options.isNewRoot ? blockSeconds : Math.max(nowSeconds(), blockSeconds), 0),
    /** A root that no block names starts time again where it was made, never later than now. The silence goes on. */
    startAgain: (madeAtSeconds: number) =>
      at(Math.min(nowSeconds(), Math.max(buildTimeSeconds, madeAtSeconds)), silentSeconds()),
  };
}

export type Clock = ReturnType<typeof createClock>;
