import { setTimeout as pause } from 'node:timers/promises';
import { type Address, signWebhook, type WebhookAttempt, type WebhookSecret } from '@firmproof/protocol';
import type { Transaction } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { ServerLog } from '../log/server-log.ts';
import { prune } from './pruning.ts';
import { patienceSeconds, pauseSeconds } from './schedule.ts';
import type { Answer, Sender } from './sender.ts';

/** Attempts under way at once, for everybody and for one publisher: who never answers holds up few. */
const maximumAttempts = 32;
const maximumAttemptsOfPublisher = 2;
const keptAttempts = 10;
const longestSleepMilliseconds = 60_000;
const pruneSeconds = 3600;
const gone = 410;

/**
 * Delivers what is in the outbox, apart from everything else that the server does. What was sent and not noted before a crash is
 * sent again, under the same id.
 */
export function createDeliveryWorker(options: {
  readonly database: Database;
  readonly serverLog: ServerLog;
  readonly sender: Sender;
  readonly firstRetrySeconds: number;
  readonly nowSeconds: () => number;
  readonly log: Pick<Logger, 'error'>;
}) {
  const { database, sender, nowSeconds, log } = options;
  /** Webhooks that are being called, with their publishers: one attempt each, so messages keep their order as far as they arrive. */
  const busy = new Map<string, string>();
  const attempts = new Set<Promise<void>>();
  let stopping = new AbortController();
  let nudge = new AbortController();
  let running: Promise<void> | undefined;
  let prunedAt = 0;

  /** The first delivery that is due of each webhook. */
  const due = () =>
    database
      .selectFrom('webhook_deliveries as delivery')
      .innerJoin('webhooks as webhook', 'webhook.id', 'delivery.webhook')
      .select(({ fn }) => [fn.min('delivery.position').as('position'), 'webhook.id as webhook', 'webhook.publisher'])
      .where('delivery.state', '=', 'pending')
      .where('delivery.next_attempt_at', '<=', nowSeconds())
      .where('webhook.disabled_reason', 'is', null)
      .groupBy(['webhook.id', 'webhook.publisher'])
      .orderBy('position')
      .execute();

  async function startAttempts(): Promise<void> {
    for (const { position, webhook, publisher } of await due()) {
      if (busy.size >= maximumAttempts) return;
      const ofPublisher = [...busy.values()].filter((other) => other === publisher).length;
      if (busy.has(webhook) || ofPublisher >= maximumAttemptsOfPublisher) continue;
      busy.set(webhook, publisher);
      const attempt = attemptAt(Number(position))
        .catch((error: unknown) => log.error({ err: error, webhook }, 'a webhook could not be delivered'))
        .finally(() => {
          busy.delete(webhook);
          attempts.delete(attempt);
          nudge.abort();
        });
      attempts.add(attempt);
    }
  }

  async function attemptAt(position: number): Promise<void> {
    const row = await database
      .selectFrom('webhook_deliveries as delivery')
      .innerJoin('webhooks as webhook', 'webhook.id', 'delivery.webhook')
      .innerJoin('webhook_messages as message', 'message.id', 'delivery.message')
      .select(['message.id as message', 'message.body', 'webhook.url', 'webhook.secret'])
      .select(['webhook.previous_secret', 'webhook.previous_secret_until'])
      .where('delivery.position', '=', position)
      .executeTakeFirst();
    if (!row) return;
    const at = nowSeconds();
    const previous = Number(row.previous_secret_until ?? 0) > at ? row.previous_secret : null;
    const secrets = [row.secret, ...(previous === null ? [] : [previous])] as [WebhookSecret, ...WebhookSecret[]];
    const headers = signWebhook({ id: row.message, timestamp: at, body: row.body }, ...secrets);
    const started = performance.now();
    const answer = await sender.send(row.url, headers, row.body);
    const attempt = { at, milliseconds: Math.round(performance.now() - started), ...answer };
    await database.transaction().execute((transaction) => note(transaction, position, answer, attempt));
  }

  async function note(
    transaction: Transaction<Tables>,
    position: number,
    answer: Answer,
    attempt: WebhookAttempt,
  ): Promise<void> {
    const row = await transaction
      .selectFrom('webhook_deliveries as delivery')
      .innerJoin('webhooks as webhook', 'webhook.id', 'delivery.webhook')
      .selectAll('delivery')
      .select(['webhook.publisher', 'webhook.failing_since'])
      .where('position', '=', position)
      .executeTakeFirst();
    // It was removed meanwhile.
    if (!row) return;
    const now = nowSeconds();
    const isDelivered = answer.status !== undefined && answer.status >= 200 && answer.status < 300;
    const first = Number(row.first_attempt_at ?? attempt.at);
    const count = Number(row.attempt_count) + 1;
    const isOver = !isDelivered && now - first >= patienceSeconds;
    const pauses = isDelivered || isOver ? 0 : pauseSeconds(count, options.firstRetrySeconds, Math.random());
    const kept = [...(JSON.parse(row.attempts) as WebhookAttempt[]), attempt].slice(-keptAttempts);
    await transaction
      .updateTable('webhook_deliveries')
      .set({
        state: isDelivered ? 'delivered' : isOver ? 'failed' : 'pending',
        next_attempt_at: now + pauses,
        first_attempt_at: first,
        attempt_count: count,
        attempts: JSON.stringify(kept),
      })
      .where('position', '=', position)
      .execute();
    const failingSince = isDelivered ? null : Number(row.failing_since ?? attempt.at);
    const reason =
      answer.status === gone
        ? 'the receiver answered 410: it wants no more'
        : failingSince !== null && now - failingSince >= patienceSeconds
          ? 'nothing could be delivered for two days'
          : null;
    await transaction
      .updateTable('webhooks')
      .set({ failing_since: failingSince, ...(reason !== null && { disabled_reason: reason }) })
      .where('id', '=', row.webhook)
      .execute();
    if (reason !== null)
      await options.serverLog.append(transaction, [row.publisher as Address], {
        actor: 'server',
        action: 'webhook-disabled',
        subject: row.webhook,
        details: { reason },
      });
  }

  async function sleepMilliseconds(): Promise<number> {
    const { next } = await database
      .selectFrom('webhook_deliveries as delivery')
      .innerJoin('webhooks as webhook', 'webhook.id', 'delivery.webhook')
      .select(({ fn }) => fn.min('delivery.next_attempt_at').as('next'))
      .where('delivery.state', '=', 'pending')
      .where('webhook.disabled_reason', 'is', null)
      .where('webhook.id', 'not in', [...busy.keys(), ''])
      .executeTakeFirstOrThrow();
    if (next === null || next === undefined) return longestSleepMilliseconds;
    const wait = Math.max(Number(next) - nowSeconds(), busy.size > 0 ? 1 : 0) * 1000;
    return Math.min(wait, longestSleepMilliseconds);
  }

  async function pass(): Promise<number> {
    if (nowSeconds() - prunedAt >= pruneSeconds) {
      await prune(database, nowSeconds());
      prunedAt = nowSeconds();
    }
    await startAttempts();
    return sleepMilliseconds();
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      nudge = new AbortController();
      const milliseconds = await pass().catch((error: unknown) => {
        log.error({ err: error }, 'webhooks are not delivered for now');
        return longestSleepMilliseconds;
      });
      const signal = AbortSignal.any([nudge.signal, stopping.signal]);
      await pause(milliseconds, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    start(): void {
      stopping = new AbortController();
      running = loop();
    },
    wake(): void {
      nudge.abort();
    },
    /** What is under way is waited for: the database is closed next. */
    async stop(): Promise<void> {
      stopping.abort();
      await running;
      await Promise.all(attempts);
    },
  };
}
