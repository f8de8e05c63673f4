// A history of any length behind an RPC node, made as it is asked for: real event encoding, a real state trie, no chain. Run as a
// process of its own: `node bench/long-history.ts COUNT` prints one line of JSON with its address, the place and the seconds that
// bare keccak takes over the same bytes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createMerkleProof, createMPT, type MerklePatriciaTrie } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { registryInterface } from '@firmproof/contracts';
import {
  abiWord,
  asciiWord,
  type Bytes32,
  fromHex,
  headSlots,
  keccak256,
  parseAddress,
  parseChannel,
  parseProductName,
  parseVersion,
  pendingSlots,
  productIdOf,
  productSlots,
  releaseSlots,
  toHex,
  zeroBytes32,
} from '@firmproof/protocol';
import { type Entry, entryOfLog, eventTopics, Replay, type RpcLog } from '@firmproof/protocol/audit';

const count = Number(process.argv[2] ?? 1000);
const chainId = 31337;
const registry = parseAddress(`0x${'5e'.repeat(20)}`);
const publisher = parseAddress(`0x${'11'.repeat(20)}`);
const guardian = parseAddress(`0x${'22'.repeat(20)}`);
const product = productIdOf(chainId, registry, publisher, parseProductName('long-lived'));
const trustRoot = `0x${'77'.repeat(32)}` as Bytes32;
const delay = 3600;
const start = 1_700_000_000;
/** One release in ten events; the others move the head to it. */
const period = 10;

const blockOf = (sequence: number) => 100 + 2 * sequence;
const sequenceOf = (block: number) => (block - 100) / 2;
const timeOf = (sequence: number) => start + sequence * 60;
const releaseOf = (sequence: number) => Math.floor((sequence - 2) / period);
const isRelease = (sequence: number) => (sequence - 2) % period === 0;
const versionOf = (sequence: number) => `1.${Math.floor(releaseOf(sequence) / 100)}.${releaseOf(sequence) % 100}`;
/** Moves of the head up to an event: all that is neither the registration nor a release. */
const counterOf = (sequence: number) => sequence - 1 - (releaseOf(sequence) + 1);
const hashOf = (text: string) => keccak256(new TextEncoder().encode(text));
const word = (value: number | bigint | Bytes32 | typeof registry) => toHex(abiWord(value)).slice(2);
const image = (sequence: number) => hashOf(`image ${sequence}`);
const attestation = (sequence: number) => hashOf(`attestation ${sequence}`);

function fieldsOf(sequence: number): {
  topic: Bytes32;
  key: Bytes32;
  data: readonly (number | Bytes32 | typeof registry)[];
} {
  if (sequence === 1) {
    const data = [asciiWord('long-lived'), publisher, guardian, delay, zeroBytes32];
    return { topic: eventTopics.registered, key: trustRoot, data };
  }
  const version = asciiWord(versionOf(sequence));
  if (isRelease(sequence)) {
    const data = [image(sequence), attestation(sequence), releaseOf(sequence), timeOf(sequence) + delay];
    return { topic: eventTopics.published, key: version, data };
  }
  const data = [version, counterOf(sequence), timeOf(sequence) + delay, 600, 2500];
  return { topic: eventTopics.promoted, key: asciiWord('stable'), data };
}

function logOf(sequence: number): RpcLog {
  const { topic, key, data } = fieldsOf(sequence);
  const words = [...data, sequence === 1 ? 0 : blockOf(sequence - 1), timeOf(sequence)].map(word).join('');
  return {
    address: registry,
    topics: [topic, product, toHex(abiWord(sequence)), key],
    data: `0x${words}`,
    blockNumber: `0x${blockOf(sequence).toString(16)}`,
    blockHash: hashOf(`block ${blockOf(sequence)}`),
    transactionHash: hashOf(`transaction ${sequence}`),
  };
}

/** The encoding by hand is the one of the contract's interface. */
function requireEncoding(sequence: number, name: string): void {
  const log = logOf(sequence);
  const parsed = registryInterface.parseLog({ topics: [...log.topics], data: log.data });
  const again = parsed && registryInterface.encodeEventLog(name, [...parsed.args]);
  if (again?.data !== log.data || again.topics.join() !== log.topics.join())
    throw new Error(`${name} is encoded wrongly`);
}
requireEncoding(1, 'Registered');
requireEncoding(2, 'Published');
requireEncoding(3, 'Promoted');

const entryOf = (sequence: number) => entryOfLog(logOf(sequence), { registry, product }) as Entry;
const replay = new Replay();
for (let sequence = 1; sequence <= count; sequence += 1) replay.take(entryOf(sequence));

/** The least that anybody has to do who recomputes the history. */
function keccakSeconds(): number {
  const parts: Uint8Array[] = [];
  let history: Bytes32 = zeroBytes32;
  let seconds = 0;
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const { topics, data } = logOf(sequence);
    parts.push(fromHex(`0x${[...topics, data].map((hex) => hex.slice(2)).join('')}`));
    if (parts.length < 1000 && sequence < count) continue;
    const before = process.cpuUsage();
    for (const bytes of parts) history = keccak256(fromHex(history), bytes);
    seconds += process.cpuUsage(before).user / 1e6;
    parts.length = 0;
  }
  if (history !== replay.history) throw new Error('keccak and the replay differ');
  return seconds;
}

const last = releaseOf(count);
const newest = 2 + last * period;
const version = parseVersion(versionOf(newest));
async function trieOf(values: ReadonlyMap<Bytes32, bigint>): Promise<MerklePatriciaTrie> {
  const trie = await createMPT({ useKeyHashing: true });
  for (const [slot, value] of values) {
    if (value === 0n) continue;
    const hex = value.toString(16);
    await trie.put(fromHex(slot), RLP.encode(fromHex(`0x${hex.padStart(hex.length + (hex.length % 2), '0')}`)));
  }
  return trie;
}
const slots = { ...productSlots(product), ...pendingSlots(product) };
const head = headSlots(product, parseChannel('stable'));
const release = releaseSlots(product, version);
const storage = await trieOf(
  new Map<Bytes32, bigint>([
    [slots.state, BigInt(publisher) | (BigInt(count) << 160n) | (BigInt(last) << 208n)],
    [slots.configuration, BigInt(guardian) | (BigInt(delay) << 160n) | (1n << 184n) | (BigInt(blockOf(count)) << 216n)],
    [slots.history, BigInt(replay.history)],
    [slots.trustRoot, BigInt(trustRoot)],
    [head.version, BigInt(asciiWord(versionOf(count)))],
    [
      head.schedule,
      BigInt(counterOf(count)) | (BigInt(timeOf(count) + delay) << 32n) | (600n << 72n) | (2500n << 104n),
    ],
    [release.commitment, BigInt(keccak256(abiWord(image(newest)), abiWord(attestation(newest))))],
    [
      release.state,
      1n |
        (BigInt(last) << 8n) |
        (BigInt(timeOf(newest)) << 40n) |
        (BigInt(timeOf(newest) + delay) << 80n) |
        (BigInt(newest) << 120n),
    ],
  ]),
);
const accounts = await createMPT({ useKeyHashing: true });
await accounts.put(fromHex(registry), RLP.encode([1, 0, storage.root(), fromHex(hashOf('code'))]));
const final = blockOf(count) + 2;
const stateRoot = toHex(accounts.root());

const proofOf = async (trie: MerklePatriciaTrie, key: string) =>
  (await createMerkleProof(trie, fromHex(key))).map(toHex);

async function answer(method: string, [first, second]: readonly unknown[]): Promise<unknown> {
  switch (method) {
    case 'eth_chainId':
      return `0x${chainId.toString(16)}`;
    case 'eth_getBlockByNumber': {
      const number = first === 'finalized' ? final : Number(first);
      return {
        number: `0x${number.toString(16)}`,
        hash: hashOf(`block ${number}`),
        stateRoot,
        timestamp: `0x${timeOf(count).toString(16)}`,
      };
    }
    case 'eth_getLogs': {
      const sequence = sequenceOf(Number((first as { fromBlock: string }).fromBlock));
      return sequence >= 1 && sequence <= count ? [logOf(sequence)] : [];
    }
    case 'eth_getProof': {
      const storageProof = (second as string[]).map(async (key) => ({ key, proof: await proofOf(storage, key) }));
      return { accountProof: await proofOf(accounts, registry), storageProof: await Promise.all(storageProof) };
    }
    default:
      return null;
  }
}

type Call = { readonly id: number; readonly method: string; readonly params: readonly unknown[] };
const respond = async ({ id, method, params }: Call) => ({ jsonrpc: '2.0', id, result: await answer(method, params) });
async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const call: Call | Call[] = JSON.parse(Buffer.concat(chunks).toString());
  const answers = Array.isArray(call) ? await Promise.all(call.map(respond)) : await respond(call);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers));
}
const server = createServer((request, response) => void reply(request, response));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  process.stdout.write(`${JSON.stringify({ url, registry, product, chainId, keccakSeconds: keccakSeconds() })}\n`);
});
