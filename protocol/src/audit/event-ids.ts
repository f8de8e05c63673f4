import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type Bytes32, keccak256 } from '../bytes.ts';

/** The events of a product, as contracts/src/interfaces/IReleaseRegistry.sol declares them. A test compares the two. */
const signatures = {
  registered: 'Registered(bytes32,uint48,bytes32,bytes32,address,address,uint24,bytes32,uint40,uint40)',
  published: 'Published(bytes32,uint48,bytes32,bytes32,bytes32,uint32,uint40,uint40,uint40)',
  promoted: 'Promoted(bytes32,uint48,bytes32,bytes32,uint32,uint40,uint32,uint16,uint40,uint40)',
  revoked: 'Revoked(bytes32,uint48,bytes32,address,uint40,uint40)',
  halted: 'Halted(bytes32,uint48,bytes32,address,uint32,uint32,uint40,uint40)',
  scheduled: 'Scheduled(bytes32,uint48,bytes32,address,address,uint24,bytes32,uint32,uint64,uint40,bool,uint40,uint40)',
  applied: 'Applied(bytes32,uint48,bytes32,address,address,uint24,bytes32,uint32,uint40,uint40)',
  vetoed: 'Vetoed(bytes32,uint48,bytes32,address,uint40,uint40)',
} as const;

export type EventKind = keyof typeof signatures;

/** The first topic of each kind of event. */
export const eventTopics = Object.fromEntries(
  Object.entries(signatures).map(([kind, text]) => [kind, keccak256(utf8ToBytes(text))]),
) as Readonly<Record<EventKind, Bytes32>>;

const kindOfTopic: ReadonlyMap<string, EventKind> = new Map(
  Object.entries(eventTopics).map(([kind, topic]) => [topic, kind as EventKind]),
);

/** Which event has this first topic, in lower case; null for one that is none of the registry's. */
export const eventKindOfTopic = (topic: string): EventKind | null => kindOfTopic.get(topic) ?? null;
