import { hexToBytes } from '@noble/hashes/utils.js';
import { type Address, type Bytes32, zeroBytes32 } from '../bytes.ts';
import type { Sha256Digest } from '../digest.ts';
import {
  type Channel,
  channelSchema,
  type ProductId,
  type ProductName,
  productNameSchema,
  type Version,
  versionSchema,
} from '../names.ts';
import type { Entry } from './entry.ts';
import { eventKindOfTopic } from './event-ids.ts';
import { Words } from './words.ts';

/** What a configuration holds, in an event that schedules or applies one. */
export type ConfigurationValues = {
  readonly publisher: Address;
  /** Zero where nobody is. */
  readonly guardian: Address;
  readonly delaySeconds: number;
  readonly trustRoot: Sha256Digest;
};

/** What happened, by kind. Shares are basis points; times are seconds since 1970. */
export type EventDetails =
  | ({
      readonly kind: 'registered';
      readonly name: ProductName;
      readonly predecessor: ProductId | null;
    } & ConfigurationValues)
  | {
      readonly kind: 'published';
      readonly version: Version;
      readonly image: Sha256Digest;
      readonly attestation: Sha256Digest;
      readonly rollbackIndex: number;
      readonly installableFrom: number;
    }
  | {
      readonly kind: 'promoted';
      readonly channel: Channel;
      readonly version: Version;
      readonly counter: number;
      /** The effective start, never before the signed one. */
      readonly start: number;
      readonly durationSeconds: number;
      readonly firstShareBasisPoints: number;
    }
  | { readonly kind: 'revoked'; readonly version: Version; readonly approver: Address }
  | {
      readonly kind: 'halted';
      readonly channel: Channel;
      readonly approver: Address;
      readonly halts: number;
      readonly counter: number;
    }
  | ({
      readonly kind: 'scheduled';
      /** Struct hash of the signed Configure. */
      readonly pending: Bytes32;
      readonly signedEpoch: number;
      /** Rounded beyond 2^53. */
      readonly deadline: number;
      readonly pendingFrom: number;
      readonly vetoable: boolean;
    } & ConfigurationValues)
  | ({ readonly kind: 'applied'; readonly pending: Bytes32; readonly epoch: number } & ConfigurationValues)
  | { readonly kind: 'vetoed'; readonly pending: Bytes32; readonly guardian: Address };

type EventPlace = {
  readonly product: ProductId;
  readonly sequence: number;
  /** Where the node says that it is. */
  readonly block: Entry['block'];
  readonly transaction: Bytes32;
  /** Seconds since 1970, of the event's block. */
  readonly time: number;
  /** The number of the block of the product's previous event; 0 for the first. */
  readonly previousBlock: number;
};

/** One event of a product's history. */
export type HistoryEvent = EventPlace & EventDetails;
export type EventOf<Kind extends HistoryEvent['kind']> = Extract<HistoryEvent, { readonly kind: Kind }>;

const topicsBytes = 4 * 32;

/** Topics and data, one after the other: what the history hash takes (release.md R6.4). */
export function entryBytes({ topics, data }: Entry): Uint8Array {
  const hex = topics[0].slice(2) + topics[1].slice(2) + topics[2].slice(2) + topics[3].slice(2) + data.slice(2);
  return hexToBytes(hex);
}

/**
 * Reads an entry (V1). Strictly: what the registry could not have logged is refused.
 * @throws FirmproofError `entry-malformed`
 */
export function decodeEntry(entry: Entry): HistoryEvent {
  return decodeEntryBytes(entry, entryBytes(entry));
}

/** As `decodeEntry`, where its bytes are there already. */
export function decodeEntryBytes(entry: Entry, bytes: Uint8Array): HistoryEvent {
  const what = `entry ${entry.sequence}`;
  const topics = new Words(bytes.subarray(0, topicsBytes), 32, what);
  const data = new Words(bytes, topicsBytes, what);
  const product = topics.bytes32() as ProductId;
  const sequence = topics.integer(48);
  if (sequence !== entry.sequence) throw data.malformed(`its own number is ${sequence}`);
  const details = readDetails(entry, topics, data);
  const previousBlock = data.integer(40);
  const time = data.integer(40);
  data.end();
  const { block, transaction } = entry;
  return { product, sequence, block, transaction, time, previousBlock, ...details };
}

function readDetails(entry: Entry, key: Words, data: Words): EventDetails {
  const kind = eventKindOfTopic(entry.topics[0]);
  switch (kind) {
    case 'registered': {
      const trustRoot = key.digest();
      const name = readName(data);
      const [publisher, guardian, delaySeconds] = [data.address(), data.address(), data.integer(24)];
      const predecessor = data.bytes32();
      const before = predecessor === zeroBytes32 ? null : (predecessor as ProductId);
      return { kind, name, publisher, guardian, delaySeconds, trustRoot, predecessor: before };
    }
    case 'published': {
      const version = readVersion(key);
      const [image, attestation] = [data.digest(), data.digest()];
      return { kind, version, image, attestation, rollbackIndex: data.integer(32), installableFrom: data.integer(40) };
    }
    case 'promoted': {
      const channel = readChannel(key);
      const version = readVersion(data);
      const [counter, start, durationSeconds] = [data.integer(32), data.integer(40), data.integer(32)];
      const firstShareBasisPoints = data.integer(16);
      return { kind, channel, version, counter, start, durationSeconds, firstShareBasisPoints };
    }
    case 'revoked':
      return { kind, version: readVersion(key), approver: data.address() };
    case 'halted': {
      const channel = readChannel(key);
      return { kind, channel, approver: data.address(), halts: data.integer(32), counter: data.integer(32) };
    }
    case 'scheduled': {
      const values = { pending: key.bytes32(), ...readConfiguration(data) };
      const [signedEpoch, deadline, pendingFrom] = [data.integer(32), data.integer(64), data.integer(40)];
      return { kind, ...values, signedEpoch, deadline, pendingFrom, vetoable: data.boolean() };
    }
    case 'applied':
      return { kind, pending: key.bytes32(), ...readConfiguration(data), epoch: data.integer(32) };
    case 'vetoed':
      return { kind, pending: key.bytes32(), guardian: data.address() };
    case null:
      throw data.malformed('it is no event of the registry');
  }
}

function readConfiguration(data: Words): ConfigurationValues {
  const [publisher, guardian, delaySeconds] = [data.address(), data.address(), data.integer(24)];
  return { publisher, guardian, delaySeconds, trustRoot: data.digest() };
}

function readVersion(words: Words): Version {
  const parsed = versionSchema.safeParse(words.text());
  if (!parsed.success) throw words.malformed('it names no version');
  return parsed.data;
}

function readChannel(words: Words): Channel {
  const parsed = channelSchema.safeParse(words.text());
  if (!parsed.success) throw words.malformed('it names no channel');
  return parsed.data;
}

function readName(words: Words): ProductName {
  const parsed = productNameSchema.safeParse(words.text());
  if (!parsed.success) throw words.malformed('it names no product');
  return parsed.data;
}
