import { randomBytes, randomUUID } from 'node:crypto';
import {
  type Address,
  type CreateWebhookRequest,
  FirmproofError,
  maximumWebhooks,
  type ServerLogAction,
  type Webhook,
  type WebhookDelivery,
  type WebhookWithSecret,
  webhookDeliverySchema,
  webhookSchema,
  webhookSecretOf,
  type webhookTestType,
} from '@firmproof/protocol';
import type { Selectable, Transaction } from 'kysely';
import { indexedPosition } from '../chain/indexer.ts';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { By, ServerLog } from '../log/server-log.ts';
import type { Outbox } from './outbox.ts';
import type { Sender } from './sender.ts';

const secretBytes = 32;
/** Both secrets sign for so long after a change. */
const overlapSeconds = 86_400;
/** Test messages of a publisher within an hour: enough for people, and the outbox keeps each for 30 days. */
const maximumTestsPerHour = 30;

type Row = Selectable<Tables['webhooks']>;

/** Webhooks of publishers, and what became of their messages. */
export function createWebhookStore(options: {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly serverLog: ServerLog;
  readonly sender: Sender;
  readonly nowSeconds: () => number;
}) {
  const { database, outbox, serverLog, sender, nowSeconds } = options;

  const inTransaction = <Result>(work: (transaction: Transaction<Tables>) => Promise<Result>) =>
    database.transaction().execute(work);

  /** @throws FirmproofError `webhook-not-found` */
  async function rowOf(at: Database, publisher: Address, id: string): Promise<Row> {
    const row = await at
      .selectFrom('webhooks')
      .selectAll()
      .where('publisher', '=', publisher)
      .where('id', '=', id)
      .executeTakeFirst();
    if (!row) throw new FirmproofError('webhook-not-found', 'the publisher has no webhook with this id');
    return row;
  }

  async function resourceOf(at: Database, row: Row): Promise<Webhook> {
    const { pending } = await at
      .selectFrom('webhook_deliveries')
      .select(({ fn }) => fn.countAll().as('pending'))
      .where('webhook', '=', row.id)
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow();
    const overlap = Number(row.previous_secret_until ?? 0);
    return webhookSchema.parse({
      id: row.id,
      publisher: row.publisher,
      url: row.url,
      events: JSON.parse(row.events),
      state: row.disabled_reason === null ? 'active' : 'disabled',
      ...(row.disabled_reason !== null && { disabledReason: row.disabled_reason }),
      createdAt: Number(row.created_at),
      ...(row.failing_since !== null && { failingSince: Number(row.failing_since) }),
      pendingDeliveries: Number(pending),
      ...(overlap > nowSeconds() && { previousSecretUntil: overlap }),
    });
  }

  /** What was done to a webhook; of its address only the host, since the rest may be somebody's secret. */
  const writeDown = (transaction: Transaction<Tables>, by: By, action: ServerLogAction, row: Row) =>
    serverLog.append(transaction, [row.publisher as Address], {
      actor: by.actor,
      action,
      subject: row.id,
      details: { host: new URL(row.url).host.slice(0, 255) },
    });

  async function withSecret(transaction: Transaction<Tables>, row: Row): Promise<WebhookWithSecret> {
    return { ...(await resourceOf(transaction, row)), secret: row.secret as WebhookWithSecret['secret'] };
  }

  /** @throws FirmproofError `webhook-not-found` */
  async function deliveryOf(at: Database, webhook: Row, id: string): Promise<WebhookDelivery> {
    const row = await deliveries(at, webhook).where('delivery.id', '=', id).executeTakeFirst();
    if (!row) throw new FirmproofError('webhook-not-found', 'the webhook has no delivery with this id');
    return deliveryResource(row);
  }

  /** Counted by messages, which outlive a webhook that is removed and added again. @throws FirmproofError `quota-exceeded` */
  async function requireFewTests(transaction: Transaction<Tables>, publisher: Address): Promise<void> {
    const type: typeof webhookTestType = 'webhook.test';
    const { count } = await transaction
      .selectFrom('webhook_messages')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('publisher', '=', publisher)
      .where('type', '=', type)
      .where('created_at', '>', nowSeconds() - 3600)
      .executeTakeFirstOrThrow();
    if (Number(count) >= maximumTestsPerHour)
      throw new FirmproofError(
        'quota-exceeded',
        `a publisher has at most ${maximumTestsPerHour} test messages an hour`,
      );
  }

  return {
    /** @throws FirmproofError `webhook-address-forbidden`, `quota-exceeded` */
    add: (publisher: Address, { url, events }: CreateWebhookRequest, by: By): Promise<WebhookWithSecret> =>
      inTransaction(async (transaction) => {
        sender.requireAllowed(url);
        const { count } = await transaction
          .selectFrom('webhooks')
          .select(({ fn }) => fn.countAll().as('count'))
          .where('publisher', '=', publisher)
          .executeTakeFirstOrThrow();
        if (Number(count) >= maximumWebhooks)
          throw new FirmproofError('quota-exceeded', `a publisher has at most ${maximumWebhooks} webhooks`);
        const row: Row = {
          id: randomUUID(),
          publisher,
          url,
          events: JSON.stringify(events),
          secret: webhookSecretOf(randomBytes(secretBytes)),
          previous_secret: null,
          previous_secret_until: null,
          disabled_reason: null,
          failing_since: null,
          from_block: (await indexedPosition(transaction))?.number ?? 0,
          created_at: nowSeconds(),
        };
        await transaction.insertInto('webhooks').values(row).execute();
        await writeDown(transaction, by, 'webhook-added', row);
        return withSecret(transaction, row);
      }),

    async list(publisher: Address): Promise<Webhook[]> {
      const rows = await database
        .selectFrom('webhooks')
        .selectAll()
        .where('publisher', '=', publisher)
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      return Promise.all(rows.map((row) => resourceOf(database, row)));
    },

    /** With everything that waits for it. */
    remove: (publisher: Address, id: string, by: By): Promise<void> =>
      inTransaction(async (transaction) => {
        const row = await rowOf(transaction, publisher, id);
        await transaction.deleteFrom('webhook_deliveries').where('webhook', '=', id).execute();
        await transaction.deleteFrom('webhooks').where('id', '=', id).execute();
        await writeDown(transaction, by, 'webhook-removed', row);
      }),

    /** A new secret; the one before signs too for a day, so that no message fails while the receiver changes over. */
    changeSecret: (publisher: Address, id: string, by: By): Promise<WebhookWithSecret> =>
      inTransaction(async (transaction) => {
        const before = await rowOf(transaction, publisher, id);
        const change = {
          secret: webhookSecretOf(randomBytes(secretBytes)),
          previous_secret: before.secret,
          previous_secret_until: nowSeconds() + overlapSeconds,
        };
        await transaction.updateTable('webhooks').set(change).where('id', '=', id).execute();
        await writeDown(transaction, by, 'webhook-secret-changed', before);
        return withSecret(transaction, { ...before, ...change });
      }),

    /** Sends again, and tries what has failed or waits once more from the beginning. */
    enable: (publisher: Address, id: string, by: By): Promise<Webhook> =>
      inTransaction(async (transaction) => {
        const before = await rowOf(transaction, publisher, id);
        sender.requireAllowed(before.url);
        const change = { disabled_reason: null, failing_since: null };
        await transaction.updateTable('webhooks').set(change).where('id', '=', id).execute();
        const undelivered = await transaction
          .selectFrom('webhook_deliveries')
          .select('id')
          .where('webhook', '=', id)
          .where('state', '<>', 'delivered')
          .execute();
        await outbox.queueAgain(
          transaction,
          undelivered.map((delivery) => delivery.id),
        );
        await writeDown(transaction, by, 'webhook-enabled', before);
        return resourceOf(transaction, { ...before, ...change });
      }),

    /**
     * Queues a message that says nothing; what becomes of it is among the deliveries.
     * @throws FirmproofError `webhook-not-found`, `quota-exceeded`
     */
    test: (publisher: Address, id: string): Promise<WebhookDelivery> =>
      inTransaction(async (transaction) => {
        const row = await rowOf(transaction, publisher, id);
        await requireFewTests(transaction, publisher);
        const delivery = await outbox.test(transaction, publisher, id);
        return deliveryOf(transaction, row, delivery);
      }),

    /** Newest first. @param before The position that the page before ended at */
    async deliveries(publisher: Address, id: string, page: { limit: number; before: number | null }) {
      let query = deliveries(database, await rowOf(database, publisher, id))
        .orderBy('delivery.position', 'desc')
        .limit(page.limit + 1);
      if (page.before !== null) query = query.where('delivery.position', '<', page.before);
      const rows = await query.execute();
      return { rows, items: rows.map(deliveryResource) };
    },

    delivery: async (publisher: Address, id: string, delivery: string): Promise<WebhookDelivery> =>
      deliveryOf(database, await rowOf(database, publisher, id), delivery),

    /** The same message once more, whatever became of it. */
    redeliver: (publisher: Address, id: string, delivery: string): Promise<WebhookDelivery> =>
      inTransaction(async (transaction) => {
        const row = await rowOf(transaction, publisher, id);
        await deliveryOf(transaction, row, delivery);
        await outbox.queueAgain(transaction, [delivery]);
        return deliveryOf(transaction, row, delivery);
      }),
  };
}

const deliveries = (at: Database, { id }: Pick<Row, 'id'>) =>
  at
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('webhook_messages as message', 'message.id', 'delivery.message')
    .selectAll('delivery')
    .select(['message.type', 'message.product'])
    .where('delivery.webhook', '=', id);

function deliveryResource(
  row: Selectable<Tables['webhook_deliveries']> & { readonly type: string; readonly product: string | null },
): WebhookDelivery {
  return webhookDeliverySchema.parse({
    id: row.id,
    webhook: row.webhook,
    message: row.message,
    type: row.type,
    ...(row.product !== null && { product: row.product }),
    state: row.state,
    createdAt: Number(row.created_at),
    ...(row.state === 'pending' && { nextAttemptAt: Number(row.next_attempt_at) }),
    attemptCount: Number(row.attempt_count),
    attempts: JSON.parse(row.attempts),
  });
}
