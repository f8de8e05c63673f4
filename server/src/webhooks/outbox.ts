import { createHash, randomUUID } from 'node:crypto';
import type { Address, WebhookBody, WebhookEventType, webhookTestType } from '@firmproof/protocol';
import type { Transaction } from 'kysely';
import type { Tables } from '../database/schema.ts';

/** Where an event of the chain stands: what makes it one event and no other, also after the index was made anew. */
type ChainPlace = { readonly block: number; readonly sequence: number; readonly history: string };

export type Event = {
  readonly publisher: Address;
  readonly product: string | null;
  readonly type: WebhookEventType;
  /** When it happened, in seconds since 1970. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly place?: ChainPlace;
};

export type Outbox = ReturnType<typeof createOutbox>;

/**
 * What vendors are told by webhook. A message and its deliveries are written in the transaction that makes them true, so a crash
 * loses none; who delivers looks here.
 */
export function createOutbox(nowSeconds: () => number) {
  let onQueued: () => void = () => undefined;

  async function queue(
    transaction: Transaction<Tables>,
    message: string,
    webhooks: readonly string[],
  ): Promise<string[]> {
    const now = nowSeconds();
    const ids = webhooks.map(() => randomUUID());
    for (const [index, webhook] of webhooks.entries())
      await transaction
        .insertInto('webhook_deliveries')
        .values({
          id: ids[index] ?? '',
          webhook,
          message,
          state: 'pending',
          next_attempt_at: now,
          first_attempt_at: null,
          attempt_count: 0,
          attempts: '[]',
          created_at: now,
        })
        .execute();
    onQueued();
    return ids;
  }

  /** Counts up for each publisher, so that a receiver can put messages in order. */
  async function nextSequence(transaction: Transaction<Tables>, publisher: Address): Promise<number> {
    const { last } = await transaction
      .insertInto('webhook_sequences')
      .values({ publisher, last: 1 })
      .onConflict((conflict) =>
        conflict.column('publisher').doUpdateSet(({ eb }) => ({ last: eb('webhook_sequences.last', '+', 1) })),
      )
      .returning('last')
      .executeTakeFirstOrThrow();
    return Number(last);
  }

  async function write(
    transaction: Transaction<Tables>,
    id: string,
    event: Omit<Event, 'type'> & { readonly type: WebhookBody['type'] },
  ): Promise<void> {
    const { publisher, product, type, at, data, place } = event;
    const body: WebhookBody = {
      type,
      timestamp: new Date(at * 1000).toISOString(),
      sequence: await nextSequence(transaction, publisher),
      publisher,
      data,
    };
    await transaction
      .insertInto('webhook_messages')
      .values({
        id,
        publisher,
        product,
        type,
        body: JSON.stringify(body),
        created_at: nowSeconds(),
        sequence: place?.sequence ?? null,
        history: place?.history ?? null,
        withdrawn: 0,
      })
      .execute();
  }

  /**
   * null where the event has been told. One that was taken back and has happened after all is a message of its own: receivers
   * drop an id that they have had, and the body of the first may be forgotten.
   */
  async function untoldId(transaction: Transaction<Tables>, event: Event, place: ChainPlace): Promise<string | null> {
    for (let withdrawals = 0; ; withdrawals += 1) {
      const id = idOf(event, place, withdrawals);
      const known = await transaction
        .selectFrom('webhook_messages')
        .select('withdrawn')
        .where('id', '=', id)
        .executeTakeFirst();
      if (known === undefined) return id;
      if (known.withdrawn === 0) return null;
    }
  }

  return {
    /** Who delivers is woken whenever there is something. */
    whenQueued(listener: () => void): void {
      onQueued = listener;
    },

    /** For every webhook of the publisher that wants to hear of it. The same event of the chain is told once. */
    async tell(transaction: Transaction<Tables>, event: Event): Promise<void> {
      const { publisher, type, place } = event;
      const rows = await transaction
        .selectFrom('webhooks')
        .select(['id', 'events', 'from_block'])
        .where('publisher', '=', publisher)
        .execute();
      const wanted = rows
        .filter(({ events }) => (JSON.parse(events) as WebhookEventType[]).includes(type))
        .filter(({ from_block }) => place === undefined || place.block > Number(from_block))
        .map(({ id }) => id);
      if (wanted.length === 0) return;
      const id = place === undefined ? `msg_${randomUUID()}` : await untoldId(transaction, event, place);
      if (id === null) return;
      await write(transaction, id, event);
      await queue(transaction, id, wanted);
    },

    /** To one webhook alone, to try it. Answers with the id of the delivery. */
    async test(transaction: Transaction<Tables>, publisher: Address, webhook: string): Promise<string> {
      const id = `msg_${randomUUID()}`;
      const type: typeof webhookTestType = 'webhook.test';
      await write(transaction, id, { publisher, product: null, type, at: nowSeconds(), data: { webhook } });
      const [delivery = ''] = await queue(transaction, id, [webhook]);
      return delivery;
    },

    /**
     * After the index was made anew: events that were told and are on the chain no more. They are taken back, each publisher's
     * by one message.
     */
    async withdrawVanished(transaction: Transaction<Tables>): Promise<void> {
      const vanished = await transaction
        .selectFrom('webhook_messages as message')
        .leftJoin('product_histories as known', (join) =>
          join
            .onRef('known.product', '=', 'message.product')
            .onRef('known.sequence', '=', 'message.sequence')
            .onRef('known.history', '=', 'message.history'),
        )
        .select(['message.id', 'message.publisher', 'message.product', 'message.type'])
        .where('message.sequence', 'is not', null)
        .where('message.withdrawn', '=', 0)
        .where('known.product', 'is', null)
        .orderBy('message.sequence')
        .execute();
      const groups = Map.groupBy(vanished, ({ publisher, product }) => `${publisher} ${product}`);
      for (const group of groups.values()) {
        const { publisher, product } = group[0] ?? { publisher: '', product: null };
        await this.tell(transaction, {
          publisher: publisher as Address,
          product,
          type: 'chain.reorganised',
          at: nowSeconds(),
          data: {
            ...(product !== null && { product }),
            withdrawn: group.slice(0, namedMessages).map(({ id, type }) => ({ id, type })),
            withdrawnCount: group.length,
          },
        });
      }
      for (const { id } of vanished)
        await transaction.updateTable('webhook_messages').set({ withdrawn: 1 }).where('id', '=', id).execute();
    },

    /** Deliveries that are to be tried again, as if for the first time. */
    async queueAgain(transaction: Transaction<Tables>, deliveries: readonly string[]): Promise<void> {
      for (const id of deliveries)
        await transaction
          .updateTable('webhook_deliveries')
          .set({ state: 'pending', next_attempt_at: nowSeconds(), first_attempt_at: null })
          .where('id', '=', id)
          .execute();
      onQueued();
    },
  };
}

const namedMessages = 100;

/** The same for the same event, whenever it is read from the chain; for another history it is another event. */
function idOf({ publisher, product, type }: Event, { sequence, history }: ChainPlace, withdrawals: number): string {
  const again = withdrawals === 0 ? [] : [withdrawals];
  const text = [publisher, product, type, sequence, history, ...again].join(' ');
  return `msg_${createHash('sha256').update(text).digest('hex').slice(0, 40)}`;
}
