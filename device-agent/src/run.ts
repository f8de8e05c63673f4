import { setTimeout as pause } from 'node:timers/promises';
import { openAgent } from './agent.ts';
import type { AgentConfig } from './config.ts';
import type { DownloadProgress } from './download.ts';
import { type InstallResult, install } from './install.ts';

const firstRetrySeconds = 60;

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
    const agent = await openAgent(config);
    try {
      const result = await install(agent, options.onProgress);
      failures = result.outcome === 'unproven' ? failures + 1 : 0;
      const { state, trialDeadlineSeconds } = agent.journal.entry;
      const trialSeconds =
        state === 'trial' && trialDeadlineSeconds !== null ? trialDeadlineSeconds - agent.clock.nowSeconds() + 1 : null;
      const nextSeconds = Math.max(1, trialSeconds ?? waitSeconds(config.pollHours, failures, Math.random()));
      options.onRound({ result, recoveredFrom: agent.journal.recoveredFrom, nextSeconds });
      agent.close();
      await pause(nextSeconds * 1000, undefined, { signal: options.signal }).catch(() => undefined);
    } finally {
      agent.close();
    }
  }
}

/** The poll interval ± 50 %, so that a fleet never asks at once; after failures 1, 2, 4 … minutes, up to that. */
export function waitSeconds(pollHours: number, failures: number, random: number): number {
  const poll = pollHours * 3600;
  const base = failures === 0 ? poll : Math.min(poll, firstRetrySeconds * 2 ** Math.min(failures - 1, 20));
  return base * (0.5 + random);
}
