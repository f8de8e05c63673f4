import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Journal } from './journal.ts';

/** Names one boot of the machine: uptime counts on between processes of the same boot only. */
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
export function createClock(journal: Journal, buildTimeSeconds: number) {
  const bootId = currentBootId();
  const nowSeconds = (): number => {
    const { seconds, bootId: then, uptimeSeconds } = journal.entry.time;
    // What was persisted in an earlier boot is at least as old as this boot.
    const passed = then === bootId ? Math.max(0, uptime() - uptimeSeconds) : then === '' ? 0 : uptime();
    return Math.max(buildTimeSeconds, seconds + passed);
  };
  return {
    nowSeconds,
    /** Time as it will be remembered: never earlier than now or than a block that was proved. */
    snapshot: (provenSeconds = 0) => ({
      seconds: Math.max(nowSeconds(), provenSeconds),
      bootId,
      uptimeSeconds: uptime(),
    }),
  };
}

export type Clock = ReturnType<typeof createClock>;
