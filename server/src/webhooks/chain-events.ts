import { type Address, asciiOfWord, type Bytes32, type WebhookEventType, zeroAddress } from '@firmproof/protocol';
import type { LogDescription } from 'ethers';
import type { Transaction } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { Outbox } from './outbox.ts';

/** A final event of the registry, right after the index has taken it in, in the same transaction. */
type IndexedEvent = {
  readonly event: LogDescription;
  readonly block: number;
  readonly transactionHash: string;
  /** Publisher and guardian before it, where it changes them. */
  readonly before: readonly string[];
};
export type ChainWatcher = (transaction: Transaction<Tables>, indexed: IndexedEvent) => Promise<void>;

type Field = 'number' | 'word' | 'account' | 'digest' | 'hash' | 'boolean';

/** What of each event is told, by the names of the API. */
const kinds: Readonly<
  Record<
    string,
    { readonly type: WebhookEventType; readonly fields: Readonly<Record<string, readonly [string, Field]>> }
  >
> = {
  Registered: {
    type: 'product.registered',
    fields: {
      publisher: ['publisher', 'account'],
      guardian: ['guardian', 'account'],
      delaySeconds: ['delay', 'number'],
      trustRoot: ['trustRoot', 'digest'],
    },
  },
  Published: {
    type: 'release.published',
    fields: {
      version: ['version', 'word'],
      image: ['image', 'digest'],
      attestation: ['attestation', 'digest'],
      rollbackIndex: ['rollbackIndex', 'number'],
      installableFrom: ['installableFrom', 'number'],
    },
  },
  Promoted: {
    type: 'channel.promoted',
    fields: {
      channel: ['channel', 'word'],
      version: ['version', 'word'],
      counter: ['counter', 'number'],
      start: ['start', 'number'],
      durationSeconds: ['duration', 'number'],
      firstShareBasisPoints: ['firstShare', 'number'],
    },
  },
  Revoked: {
    type: 'release.revoked',
    fields: { version: ['version', 'word'], approver: ['approver', 'account'] },
  },
  Halted: {
    type: 'channel.halted',
    fields: { channel: ['channel', 'word'], approver: ['approver', 'account'], halts: ['halts', 'number'] },
  },
  Scheduled: {
    type: 'configuration.scheduled',
    fields: {
      pending: ['pending', 'hash'],
      publisher: ['publisher', 'account'],
      guardian: ['guardian', 'account'],
      delaySeconds: ['delay', 'number'],
      trustRoot: ['trustRoot', 'digest'],
      applicableFrom: ['pendingFrom', 'number'],
      vetoable: ['vetoable', 'boolean'],
    },
  },
  Applied: {
    type: 'configuration.applied',
    fields: {
      pending: ['pending', 'hash'],
      publisher: ['publisher', 'account'],
      guardian: ['guardian', 'account'],
      delaySeconds: ['delay', 'number'],
      trustRoot: ['trustRoot', 'digest'],
    },
  },
  Vetoed: {
    type: 'configuration.vetoed',
    fields: { pending: ['pending', 'hash'], guardian: ['guardian', 'account'] },
  },
};

const readers: Readonly<Record<Field, (value: unknown) => unknown>> = {
  number: (value) => Number(value as bigint),
  word: (value) => asciiOfWord(value as Bytes32) ?? '',
  account: (value) => String(value).toLowerCase(),
  digest: (value) => String(value).slice(2),
  hash: String,
  boolean: Boolean,
};

/** Tells publisher and guardian of a product what the chain has recorded for good: the index takes in final blocks only. */
export function chainEventsTo(outbox: Outbox): ChainWatcher {
  return async (transaction, { event, block, transactionHash, before }) => {
    const kind = kinds[event.name];
    const product = String(event.args['product']);
    const row = await transaction
      .selectFrom('products')
      .select(['name', 'publisher', 'guardian', 'sequence', 'history'])
      .where('id', '=', product)
      .executeTakeFirst();
    if (kind === undefined || row === undefined) return;
    const sequence = Number(row.sequence);
    const own = Object.entries(kind.fields).map(([name, [argument, field]]) => [
      name,
      readers[field](event.args[argument]),
    ]);
    const data = {
      product,
      name: row.name,
      ...Object.fromEntries(own),
      event: sequence,
      history: row.history,
      block,
      transaction: transactionHash,
    };
    const at = Number(event.args['time'] as bigint);
    const place = { block, sequence, history: row.history };
    for (const publisher of new Set([...before, row.publisher, row.guardian]))
      if (publisher !== zeroAddress)
        await outbox.tell(transaction, { publisher: publisher as Address, product, type: kind.type, at, data, place });
  };
}
