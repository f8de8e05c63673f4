import { type Bytes32, fromHex, keccak256 } from '@firmproof/protocol';
import type { Transaction } from 'kysely';
import type { Tables } from '../database/schema.ts';

export type Log = {
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly transactionHash: string;
};

/** The event as it was logged, for auditors, and the history hash after it. */
export async function keepEvent(
  transaction: Transaction<Tables>,
  product: string,
  sequence: number,
  log: Log,
  history: Bytes32,
): Promise<void> {
  await transaction.insertInto('product_histories').values({ product, sequence, history }).execute();
  const { blockHash, transactionHash } = log;
  const data = log.data.toLowerCase();
  const place = { block_number: Number(log.blockNumber), block_hash: blockHash, transaction_hash: transactionHash };
  const topics = JSON.stringify(log.topics.map((topic) => topic.toLowerCase()));
  await transaction
    .insertInto('events')
    .values({ product, sequence, topics, data, ...place })
    .execute();
}

/** history ‖ topics ‖ data: one rule for every event (docs/spec/release.md). */
export function nextHistory(history: Bytes32, log: Log): Bytes32 {
  return keccak256(fromHex(history), ...log.topics.map(fromHex), fromHex(log.data));
}
