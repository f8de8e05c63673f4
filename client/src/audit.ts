import { registryInterface } from '@firmproof/contracts';
import {
  type Address,
  asciiOfWord,
  type Bytes32,
  decodeProductConfiguration,
  decodeProductState,
  FirmproofError,
  fromHex,
  keccak256,
  type ProductId,
  parseBytes32,
  productSlots,
  proveAccount,
  proveStorage,
  type ReleaseStatus,
  zeroAddress,
  zeroBytes32,
} from '@firmproof/protocol';
import { createRpc, hexQuantity, type Rpc, type RpcBlock, readBlock } from '@firmproof/protocol/node';
import type { LogDescription } from 'ethers';

type AuditedEvent = {
  readonly sequence: number;
  readonly name: string;
  readonly blockNumber: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly subject: string;
};

type AuditedRelease = {
  readonly version: string;
  readonly status: ReleaseStatus;
  readonly rollbackIndex: number;
  readonly sequence: number;
  readonly publishedAt: number;
  readonly installableFrom: number;
  readonly image: string;
  readonly attestation: string;
};

export type AuditReport = {
  readonly product: ProductId;
  readonly name: string;
  /** Whether the events replay to exactly the proven history. */
  readonly complete: boolean;
  /** Where the events and the proof differ; empty when complete. */
  readonly differences: readonly string[];
  readonly block: { readonly number: number; readonly hash: string };
  /** Up to which event a quorum of witnesses vouches for this history; null when only the node does. */
  readonly vouchedSequence: number | null;
  readonly sequence: number;
  readonly history: Bytes32;
  readonly replayedHistory: Bytes32;
  readonly events: readonly AuditedEvent[];
  readonly releases: readonly AuditedRelease[];
};

/** A history that witnesses vouch for, proved by evidence. */
export type VouchedHistory = { readonly sequence: number; readonly history: Bytes32 };

type Log = {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
};
type Entry = { readonly log: Log; readonly event: LogDescription; readonly sequence: number; readonly block: number };

/**
 * Replays all events of a product, walking back from block to block as the events say, and compares the hash over their
 * raw logs with the one that a Merkle proof shows in the registry's storage. An RPC node that leaves out, changes or
 * adds an event is found out (A20, A21). That the block itself is the chain's own follows from `vouched`.
 * @throws FirmproofError `chain-unreachable`, `product-not-found`, `account-proof-invalid`, `storage-proof-invalid`
 */
export async function auditProduct(options: {
  readonly rpcUrl: string;
  readonly registry: Address;
  readonly product: ProductId;
  readonly vouched?: readonly VouchedHistory[];
  readonly onEvent?: (done: number, total: number) => void;
}): Promise<AuditReport> {
  const { registry, product, vouched = [], onEvent } = options;
  const rpc = createRpc(options.rpcUrl);
  const proven = await provenHistory(rpc, registry, product);
  const entries = await walkBack(rpc, registry, product, proven, onEvent);
  const { histories, differences } = replay(entries, proven);
  for (const { sequence, history } of vouched) {
    if (sequence <= proven.sequence && histories[sequence] !== undefined && histories[sequence] !== history) {
      differences.push(
        `the witnesses vouch for history ${history} at event ${sequence}, the node shows ${histories[sequence]}`,
      );
    }
    if (sequence > proven.sequence) {
      differences.push(`the witnesses vouch for ${sequence} events, the node knows ${proven.sequence}`);
    }
  }
  return {
    product,
    name: nameOf(entries),
    complete: differences.length === 0,
    differences,
    block: { number: Number(proven.block.number), hash: proven.block.hash },
    vouchedSequence: vouched.length > 0 ? Math.max(...vouched.map(({ sequence }) => sequence)) : null,
    sequence: proven.sequence,
    history: proven.history,
    replayedHistory: histories.at(-1) ?? zeroBytes32,
    events: entries.map(describeEvent),
    releases: releasesOf(entries),
  };
}

type ProvenHistory = {
  readonly block: RpcBlock;
  readonly sequence: number;
  readonly history: Bytes32;
  readonly lastBlock: number;
};

type AccountProof = { readonly accountProof: string[]; readonly storageProof: { readonly proof: string[] }[] };

async function provenHistory(rpc: Rpc, registry: Address, product: ProductId): Promise<ProvenHistory> {
  const block = await readBlock(rpc, 'finalized');
  if (block === null) throw new FirmproofError('chain-unsuitable', 'the node calls no block final');
  const slots = productSlots(product);
  const wanted = [slots.state, slots.configuration, slots.history];
  const proof = await rpc<AccountProof>('eth_getProof', [registry, wanted, block.number]);
  const account = await proveAccount(parseBytes32(block.stateRoot), registry, proof.accountProof);
  if (account === null) throw new FirmproofError('registry-absent', `no contract is at ${registry} on this chain`);
  const [state, configuration, history] = await Promise.all(
    wanted.map((slot, index) => proveStorage(account.storageRoot, slot, proof.storageProof[index]?.proof ?? [])),
  );
  const { publisher, sequence } = decodeProductState(BigInt(state ?? 0));
  if (publisher === zeroAddress) throw new FirmproofError('product-not-found', `product ${product} is not registered`);
  const { lastBlock } = decodeProductConfiguration(BigInt(configuration ?? 0));
  return { block, sequence, history: history ?? zeroBytes32, lastBlock };
}

/** All events that the node admits to, in order. Stops where the trail ends. */
async function walkBack(
  rpc: Rpc,
  registry: Address,
  product: ProductId,
  { sequence, lastBlock }: ProvenHistory,
  onEvent: ((done: number, total: number) => void) | undefined,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const visited = new Set<number>();
  let block = lastBlock;
  // A node that makes up a trail without end is followed no further than the proven number of events.
  while (block > 0 && !visited.has(block) && entries.length <= sequence) {
    visited.add(block);
    const range = { fromBlock: hexQuantity(block), toBlock: hexQuantity(block) };
    const logs = await rpc<Log[]>('eth_getLogs', [{ address: registry, topics: [null, product], ...range }]);
    const found = logs.map((log) => readLog(log, registry, product, block)).filter((entry) => entry !== null);
    entries.push(...found);
    onEvent?.(Math.min(entries.length, sequence), sequence);
    const earliest = found.reduce<Entry | null>(
      (least, entry) => (least && least.sequence < entry.sequence ? least : entry),
      null,
    );
    block = Number(earliest?.event.args['previousBlock'] ?? 0);
  }
  return entries.sort((one, other) => one.sequence - other.sequence);
}

/** Anything that is not an event of this product in this registry and this block is ignored, whatever the node says. */
function readLog(log: Log, registry: Address, product: ProductId, block: number): Entry | null {
  if (log.address.toLowerCase() !== registry || log.topics[1] !== product || Number(log.blockNumber) !== block)
    return null;
  try {
    const event = registryInterface.parseLog({ topics: [...log.topics], data: log.data });
    return event && { log, event, sequence: Number(event.args['sequence']), block };
  } catch {
    return null;
  }
}

function replay(entries: readonly Entry[], proven: ProvenHistory) {
  const differences: string[] = [];
  const histories: Bytes32[] = [zeroBytes32];
  let expected = 1;
  for (const { log, sequence, block } of entries) {
    if (sequence > expected) differences.push(missing(expected, sequence - 1, block));
    if (sequence < expected) differences.push(`event ${sequence} comes twice, in block ${block}`);
    // Behind a gap there is nothing to go on from: histories end there.
    const before = differences.length === 0 ? histories[sequence - 1] : undefined;
    if (before) histories[sequence] = keccak256(fromHex(before), ...log.topics.map(fromHex), fromHex(log.data));
    expected = sequence + 1;
  }
  if (expected <= proven.sequence) differences.push(missing(expected, proven.sequence, proven.lastBlock));
  const replayed = histories.at(-1) ?? zeroBytes32;
  if (differences.length === 0 && replayed !== proven.history) {
    differences.push(`the events replay to history ${replayed}, storage holds ${proven.history}: an event was changed`);
  }
  return { histories, differences };
}

const missing = (first: number, last: number, block: number) =>
  `${first === last ? `event ${first} is` : `events ${first} to ${last} are`} missing, in or before block ${block}: the node leaves them out`;

const text = (word: unknown) => asciiOfWord(word as Bytes32) ?? '';
const nameOf = (entries: readonly Entry[]) => {
  const registered = entries.find(({ event }) => event.name === 'Registered');
  return registered ? text(registered.event.args['name']) : '';
};

function describeEvent({ event, sequence, block }: Entry): AuditedEvent {
  const { args } = event;
  const subject = {
    Registered: () => text(args['name']),
    Published: () => text(args['version']),
    Promoted: () => `${text(args['channel'])} → ${text(args['version'])}`,
    Revoked: () => text(args['version']),
    Halted: () => text(args['channel']),
  }[event.name];
  return {
    sequence,
    name: event.name,
    blockNumber: block,
    time: Number(args['time']),
    subject: subject?.() ?? String(args['pending'] ?? ''),
  };
}

function releasesOf(entries: readonly Entry[]): readonly AuditedRelease[] {
  const revoked = new Set(
    entries.filter(({ event }) => event.name === 'Revoked').map(({ event }) => text(event.args['version'])),
  );
  return entries
    .filter(({ event }) => event.name === 'Published')
    .map(({ event: { args }, sequence }) => ({
      version: text(args['version']),
      status: revoked.has(text(args['version'])) ? 'revoked' : 'active',
      rollbackIndex: Number(args['rollbackIndex']),
      sequence,
      publishedAt: Number(args['time']),
      installableFrom: Number(args['installableFrom']),
      image: String(args['image']).slice(2),
      attestation: String(args['attestation']).slice(2),
    }));
}
