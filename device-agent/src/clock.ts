import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { silenceSeconds } from '@firmproof/protocol';
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

/** Never fails: time may have been made up. */
export const isoTime = (seconds: number): string =>
  new Date(Math.min(Math.max(0, Math.floor(seconds)), latestSeconds) * 1000).toISOString();

const latestSeconds = 8_640_000_000_000;

/** A jump of less than this is waited out. */
const doubtfulJumpSeconds = 86_400;

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
  const countedSeconds = (): number => journal.entry.time.seconds + passed();
  const isBuildTimeWrong = (): boolean => journal.entry.time.wrongBuildTimeSeconds === buildTimeSeconds;
  const nowSeconds = (): number =>
    isBuildTimeWrong() ? countedSeconds() : Math.max(buildTimeSeconds, countedSeconds());
  /** What has really passed: a block's timestamp that makes time jump does not add to it. */
  const silentSeconds = (): number => journal.entry.time.silentSeconds + passed();
  /** Time as it would be without its last jumps, while those are in doubt. */
  const doubt = (): TimeDoubt => {
    const { doubt: before } = journal.entry.time;
    const aged = before && {
      ...before,
      seconds: before.seconds + passed(),
      heldSeconds: before.heldSeconds + passed(),
    };
    const leads = nowSeconds() - countedSeconds() > doubtfulJumpSeconds;
    return leads ? jumped(aged, countedSeconds(), buildTimeSeconds) : aged;
  };
  const at = (seconds: number, silence: number, doubted: TimeDoubt): JournalEntry['time'] => ({
    seconds,
    bootId: time.bootId,
    uptimeSeconds: time.uptimeSeconds(),
    silentSeconds: silence,
    doubt: doubted,
    wrongBuildTimeSeconds: journal.entry.time.wrongBuildTimeSeconds,
  });
  return {
    nowSeconds,
    /** Device time since evidence last verified (D15). */
    silentSeconds,
    /** Time as it will be remembered. */
    snapshot: () => at(nowSeconds(), silentSeconds(), doubt()),
    /** Evidence has verified: never earlier than now or than its block; a new trust root starts again at the block. */
    proven(blockSeconds: number, options: { readonly isNewRoot: boolean }) {
      if (options.isNewRoot) return at(blockSeconds, 0, null);
      const now = nowSeconds();
      const aged = doubt();
      // What still verifies so long after a jump has not been made up once.
      const before = aged !== null && aged.heldSeconds >= silenceSeconds ? null : aged;
      const jumps = blockSeconds - now > doubtfulJumpSeconds;
      return at(Math.max(now, blockSeconds), 0, jumps ? jumped(before, now, blockSeconds) : before);
    },
    /**
     * Nothing has verified for 90 days, and a quorum vouches for a block from before the last jump that would be fresh without
     * it: then that jump was wrong, and time goes on as if it had not been. Null where there is no such doubt (D40).
     */
    withoutLastJump(blockSeconds: number, maxAgeSeconds: number): JournalEntry['time'] | null {
      const doubted = doubt();
      if (doubted === null || silentSeconds() < silenceSeconds) return null;
      // A block from after the jump is simply old; one from before it can prove no history newer than what made time jump.
      if (blockSeconds >= doubted.jumpedToSeconds || doubted.seconds - blockSeconds > maxAgeSeconds) return null;
      const entry = at(Math.max(doubted.seconds, blockSeconds), silentSeconds(), null);
      return { ...entry, wrongBuildTimeSeconds: entry.seconds < buildTimeSeconds ? buildTimeSeconds : null };
    },
    /** A root that no block names starts time again where it was made, never later than now. The silence goes on. */
    startAgain: (madeAtSeconds: number) =>
      at(
        Math.min(nowSeconds(), isBuildTimeWrong() ? madeAtSeconds : Math.max(buildTimeSeconds, madeAtSeconds)),
        silentSeconds(),
        null,
      ),
  };
}

/** Time has jumped once more: it is the time before all jumps in doubt that would hold without them. */
const jumped = (before: TimeDoubt, seconds: number, jumpedToSeconds: number): TimeDoubt => ({
  seconds: before?.seconds ?? seconds,
  heldSeconds: 0,
  jumpedToSeconds,
});

/**
 * What a device starts from: nothing later than its trust root or build, so that a build machine whose clock was wrong
 * is a jump like any other.
 */
export function timeAtFirstBoot(madeAtSeconds: number, buildTimeSeconds: number): JournalEntry['time'] {
  const seconds = Math.min(madeAtSeconds, buildTimeSeconds);
  return { seconds, bootId: '', uptimeSeconds: 0, silentSeconds: 0, doubt: null, wrongBuildTimeSeconds: null };
}

type TimeDoubt = JournalEntry['time']['doubt'];

export type Clock = ReturnType<typeof createClock>;
