import { setTimeout as pause } from 'node:timers/promises';
import { isFirmproofError } from '@firmproof/protocol';
import { isStorageFull } from '@firmproof/protocol/node/system-error';
import { type Agent, openAgent, viewAgent } from './agent.ts';
import { countRetries, noRetries, waitAtStart, waitSeconds } from './backoff.ts';
import type { AgentConfig } from './config.ts';
import type { DownloadProgress } from './download.ts';
import { install } from './machine/engine.ts';
import type { InstallResult } from './machine/result.ts';
import { sendReceipts } from './receipts/send.ts';

const busySeconds = 5;
const timeKeepingSeconds = 600;

/** What one round of `run` came to, and when the next one is due. */
export type Round = {
  readonly result: InstallResult;
  readonly recoveredFrom: string | null;
  /** Source and problem: nothing rests on it, somebody should look at it. */
  readonly certificateProblems: ReadonlyMap<string, string>;
  readonly nextSeconds: number;
};

export type RunOptions = {
  readonly signal: AbortSignal;
  readonly onRound: (round: Round) => void;
  /** Told once, before the first round, where that has to wait: trusted time of it, and how long that is. */
  readonly onWait?: (wait: { readonly dueSeconds: number; readonly seconds: number }) => void;
  readonly onProgress?: DownloadProgress;
  /** Told what keeps receipts from being made or kept; the network is no such thing. */
  readonly onReceiptProblem?: (problem: string) => void;
};

/**
 * Checks and installs for ever: every poll interval ± 50 %, sooner where that came to nothing, and when a trial ends. The
 * data directory is held during a round only, so that `confirm` and `install` can come in between.
 */
export async function run(config: AgentConfig, options: RunOptions): Promise<void> {
  const looked = viewAgent(config);
  const seconds = secondsToFirst(looked);
  if (seconds > 0) options.onWait?.({ dueSeconds: looked.clock.nowSeconds() + seconds, seconds });
  await pauseAndRemember(config, seconds, options);
  while (!options.signal.aborted) {
    const agent = await openAgent(config).catch(unlessBusy);
    let nextSeconds = busySeconds;
    if (agent !== null) {
      try {
        const result = await install(agent, options.onProgress && { onProgress: options.onProgress });
        nextSeconds = await planNext(agent, result);
        const { recoveredFrom } = agent.journal;
        options.onRound({ result, recoveredFrom, certificateProblems: agent.sources.certificateProblems, nextSeconds });
        await send(agent, options);
      } finally {
        agent.close();
      }
    }
    await pauseAndRemember(config, nextSeconds, options);
  }
}

async function send(agent: Agent, { onReceiptProblem }: RunOptions): Promise<void> {
  const problem = await sendReceipts(agent);
  if (problem !== null) onReceiptProblem?.(problem);
}

/**
 * Waits, and writes down now and then how late it is: else a device that is switched off before the next poll would believe
 * that hardly any time has passed, poll after poll. Receipts that are due go out meanwhile.
 */
async function pauseAndRemember(config: AgentConfig, seconds: number, options: RunOptions): Promise<void> {
  const { signal } = options;
  for (let left = seconds; left > 0 && !signal.aborted; left -= timeKeepingSeconds) {
    await pause(Math.min(left, timeKeepingSeconds) * 1000, undefined, { signal }).catch(() => undefined);
    if (left <= timeKeepingSeconds && !signal.aborted) return;
    const agent = await openAgent(config).catch(unlessBusy);
    if (agent === null) continue;
    try {
      await agent.journal.write({ time: agent.clock.snapshot() });
      await send(agent, options);
    } finally {
      agent.close();
    }
  }
}

/** Somebody runs `check` or `install` by hand at this moment: no reason to end. */
function unlessBusy(error: unknown): null {
  if (isFirmproofError(error) && error.code === 'install-in-progress') return null;
  throw error;
}

/** When to ask again, written down: a restart keeps to it. */
async function planNext(agent: Agent, result: InstallResult): Promise<number> {
  const { config, journal, clock } = agent;
  const { state, trialDeadlineSeconds } = journal.entry;
  const retries = countRetries(journal.entry.nextCheck?.retries ?? noRetries, result);
  const trialEnds = state === 'trial' && trialDeadlineSeconds !== null;
  const seconds = trialEnds
    ? Math.max(1, trialDeadlineSeconds - clock.nowSeconds() + 1)
    : Math.max(1, waitSeconds(config.pollHours, retries, Math.random()));
  const time = clock.snapshot();
  const nextCheck = { dueSeconds: time.seconds + seconds, bootId: time.bootId, retries };
  await journal.write({ time, nextCheck }).catch((error: unknown) => {
    // A full disk is told by the install; without the plan a restart merely asks earlier.
    if (!isStorageFull(error)) throw error;
  });
  return seconds;
}

/** What was begun goes on at once; otherwise what an earlier process planned holds. */
function secondsToFirst({ config, journal, clock }: Agent): number {
  const { state, nextCheck } = journal.entry;
  if (state !== 'idle') return 0;
  const isThisBoot = nextCheck?.bootId === clock.snapshot().bootId;
  return waitAtStart(nextCheck && { ...nextCheck, isThisBoot }, clock.nowSeconds(), config.pollHours, Math.random());
}
