import { setTimeout as pause } from 'node:timers/promises';
import { isFirmproofError } from '@firmproof/protocol';
import type { Logger } from 'pino';
import type { createIndexer } from './chain/indexer.ts';
import type { Relayer } from './chain/relayer.ts';
import type { EvidenceService } from './evidence/evidence-service.ts';
import type { Metrics } from './http/metrics.ts';
import type { ProposalStore } from './proposals/proposal-store.ts';
import type { ProposalWorker } from './proposals/proposal-worker.ts';

/** The one loop that follows the chain: index, proposals, evidence, in this order, again and again. */
export function createEngine(options: {
  readonly indexer: ReturnType<typeof createIndexer>;
  readonly store: ProposalStore;
  readonly worker: ProposalWorker;
  readonly evidence: EvidenceService;
  /** Whether something that somebody waits for needs another block. */
  readonly isWaiting: () => boolean;
  readonly relayer: Relayer;
  /** Takes back what was told of a chain that is no more. */
  readonly reviewTold: () => Promise<void>;
  /** Looks again at what devices were shown of the chain when it was not as far here. */
  readonly judgeViews: () => Promise<void>;
  /** Opens images and documents of releases that are installable at this time, in seconds since 1970. */
  readonly openContent: (atSeconds: number) => Promise<void>;
  /** A development chain makes blocks when asked; a real one makes them by itself. */
  readonly advance?: (() => Promise<void>) | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly pollMilliseconds: number;
  readonly nowSeconds: () => number;
}) {
  const { log, metrics, store } = options;
  let stopping = new AbortController();
  let nudge = new AbortController();
  let running: Promise<void> | undefined;
  let trouble: string | null = 'starting';
  let finalBlock = 0;
  const { promise: ready, resolve: becomeReady } = Promise.withResolvers<void>();

  async function pass(): Promise<void> {
    const caughtUp = await options.indexer.catchUp();
    finalBlock = caughtUp.finalBlock;
    if (caughtUp.rebuilt) {
      log.warn('the chain has changed below its final block: everything is looked at again');
      await options.evidence.forget();
      await store.reopenConfirmed();
    }
    await options.reviewTold();
    await options.worker.pass(finalBlock);
    // What counts is the time of blocks, by which devices judge; no block may be new enough on a chain where nothing happens.
    await options.openContent(Math.max(options.nowSeconds(), caughtUp.finalSeconds));
    await options.evidence.refreshAll(finalBlock, options.nowSeconds());
    if (options.evidence.isWaiting(finalBlock) || options.isWaiting()) await options.advance?.();
    await options.judgeViews();
    metrics.finalBlock.set(finalBlock);
    metrics.proposals.set((await store.unfinished()).length);
    const oldest = await options.evidence.oldestBlockTimestamp();
    metrics.evidenceAgeSeconds.set(oldest === null ? 0 : options.nowSeconds() - oldest);
    metrics.remainingReleases.set(await options.relayer.remainingReleases());
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      nudge = new AbortController();
      const failure = await pass().then(
        () => null,
        (error: unknown) => error,
      );
      report(failure);
      const signal = AbortSignal.any([nudge.signal, stopping.signal]);
      // New proposals are looked at at once; what waits for the chain is looked at at the chain's pace.
      await pause(options.pollMilliseconds, undefined, { signal }).catch(() => undefined);
    }
  }

  function report(failure: unknown): void {
    const reason = failure === null ? null : isFirmproofError(failure) ? failure.message : 'internal error';
    if (reason !== null && reason !== trouble) log.error({ err: failure }, `the chain cannot be followed: ${reason}`);
    if (reason === null && trouble !== null && trouble !== 'starting') log.info('the chain is followed again');
    trouble = reason;
    if (reason === null) becomeReady();
  }

  return {
    /** Settles with the first pass that has seen the whole chain. */
    ready,
    start(): void {
      stopping = new AbortController();
      running = loop();
    },
    wake(): void {
      nudge.abort();
    },
    unreadiness: () => trouble,
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}
