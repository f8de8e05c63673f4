import { setTimeout as pause } from 'node:timers/promises';
import { isFirmproofError } from '@firmproof/protocol';
import { type Agent, openAgent } from './agent.ts';
import type { AgentConfig } from './config.ts';
import type { DownloadProgress } from './download.ts';
import { type InstallResult, install } from './install.ts';
import { sendReports } from './reports.ts';

const firstRetrySeconds = 60;
const busySeconds = 5;
const timeKeepingSeconds = 600;

/** What one round of `run` came to, and when the next one is due. */
export type Round = {
  readonly result: InstallResult;
  readonly recoveredFrom: string | null;
  readonly nextSeconds: number;
};

/**
 * Checks and installs for ever: every poll interval ± 50 %, sooner while nothing can be proved, and when a trial ends. The
 * data directory is held during a round only, so that `confirm` and `install` can come in between.
 */
export async function run(
  config: AgentConfig,
  options: {
    readonly signal: AbortSignal;
    readonly onRound: (round: Round) => void;
    readonly onProgress?: DownloadProgress;
  },
): Promise<void> {
  let failures = 0;
  while (!options.signal.aborted) {
    const agent = await openAgent(config).catch(unlessBusy);
    let nextSeconds = busySeconds;
    if (agent !== null) {
      try {
        const result = await install(agent, options.onProgress && { onProgress: options.onProgress });
        failures = result.outcome === 'unproven' ? failures + 1 : 0;
        nextSeconds = secondsToNext(agent, failures);
        options.onRound({ result, recoveredFrom: agent.journal.recoveredFrom, nextSeconds });
        await sendReports(agent);
      } finally {
        agent.close();
      }
    }
    await pauseAndRemember(config, nextSeconds, options.signal);
  }
}

/**
 * Waits, and writes down now and then how late it is: else a device that is switched off before the next poll would believe
 * that hardly any time has passed, poll after poll.
 */
async function pauseAndRemember(config: AgentConfig, seconds: number, signal: AbortSignal): Promise<void> {
  for (let left = seconds; left > 0 && !signal.aborted; left -= timeKeepingSeconds) {
    await pause(Math.min(left, timeKeepingSeconds) * 1000, undefined, { signal }).catch(() => undefined);
    if (left <= timeKeepingSeconds && !signal.aborted) return;
    const agent = await openAgent(config).catch(unlessBusy);
    try {
      await agent?.journal.write({ time: agent.clock.snapshot() });
    } finally {
      agent?.close();
    }
  }
}

/** Somebody runs `check` or `install` by hand at this moment: no reason to end. */
function unlessBusy(error: unknown): null {
  if (isFirmproofError(error) && error.code === 'install-in-progress') return null;
  throw error;
}

function secondsToNext({ config, journal, clock }: Agent, failures: number): number {
  const { state, trialDeadlineSeconds } = journal.entry;
  if (state === 'trial' && trialDeadlineSeconds !== null) {
    return Math.max(1, trialDeadlineSeconds - clock.nowSeconds() + 1);
  }
  return Math.max(1, waitSeconds(config.pollHours, failures, Math.random()));
}

/** The poll interval ± 50 %, so that a fleet never asks at once; after failures 1, 2, 4 … minutes, up to that. */
export function waitSeconds(pollHours: number, failures: number, random: number): number {
  const poll = pollHours * 3600;
  const base = failures === 0 ? poll : Math.min(poll, firstRetrySeconds * 2 ** Math.min(failures - 1, 20));
  return base * (0.5 + random);
}
