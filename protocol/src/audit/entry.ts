import * as z from 'zod';
import { type Address, bytes32Schema } from '../bytes.ts';
import type { ProductId } from '../names.ts';
import { eventKindOfTopic } from './event-ids.ts';

const sequenceSchema = z
  .int()
  .min(1)
  .max(2 ** 48 - 1);
const blockNumberSchema = z
  .int()
  .min(1)
  .max(2 ** 40 - 1);

/** The event with the fewest fields has 3 words, the one with the most has 10. */
const dataSchema = z
  .string()
  .max(2 + 10 * 64)
  .regex(/^0x(?:[0-9a-f]{64}){3,10}$/);

/**
 * One event of a product as the registry logged it, and where it stands (V1 of docs/spec/audit.md). Topics and data are
 * what the history hash is made of; block and transaction are what whoever carries it says.
 */
export const entrySchema = z.object({
  sequence: sequenceSchema,
  block: z.object({ number: blockNumberSchema, hash: bytes32Schema }),
  transaction: bytes32Schema,
  /** Event id, product, sequence, and the key: trust root, version, channel or pending configuration. */
  topics: z.tuple([bytes32Schema, bytes32Schema, bytes32Schema, bytes32Schema]),
  data: dataSchema,
});
export type Entry = z.infer<typeof entrySchema>;

/** A log as `eth_getLogs` gives it. Everything in it is the word of the node. */
export type RpcLog = {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  /** Hexadecimal; null while the log is pending. */
  readonly blockNumber: string | null;
  readonly blockHash: string | null;
  readonly transactionHash: string | null;
  /** Set where a reorganisation has taken the log back. */
  readonly removed?: boolean;
};

/**
 * The entry that a log is; null for whatever is no event of this product by this registry: another emitter, another event,
 * another product, a log that was taken back or is still pending, a malformed one (A21). What is left out here and
 * belongs to the history is missed by the replay.
 */
export function entryOfLog(
  log: RpcLog,
  place: { readonly registry: Address; readonly product: ProductId },
): Entry | null {
  const { address, topics, blockNumber } = log;
  if (log.removed === true || address.toLowerCase() !== place.registry || topics.length !== 4) return null;
  if (topics[1]?.toLowerCase() !== place.product || blockNumber === null) return null;
  if (eventKindOfTopic(topics[0]?.toLowerCase() ?? '') === null) return null;
  const parsed = entrySchema.safeParse({
    sequence: Number(topics[2]),
    block: { number: Number(blockNumber), hash: log.blockHash?.toLowerCase() },
    transaction: log.transactionHash?.toLowerCase(),
    topics: topics.map((topic) => topic.toLowerCase()),
    data: log.data.toLowerCase(),
  });
  return parsed.success ? parsed.data : null;
}
