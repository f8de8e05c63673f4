// A19, A20, A21, A23, A28: who carries the history of a product to its auditors lies about it.
import { randomBytes } from 'node:crypto';
import { type ErrorCode, isFirmproofError, type ProductId, pageOf, parseVersion } from '@firmproof/protocol';
import {
  compareHistories,
  describeDifference,
  type Entry,
  entryOfLog,
  entrySchema,
  eventTopics,
  type HistoryVerdict,
  namedTrustRoot,
  type ProductProof,
  parseProductProof,
  proveProduct,
  Replay,
  type RpcLog,
  vouchedByWitnesses,
} from '@firmproof/protocol/audit';
import { createRpc, type Rpc } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onChainOf, startWitness, type WitnessDaemon } from '../support/chain.ts';
import { expectCode } from '../support/expect-code.ts';
import { problemOf } from '../support/http.ts';
import { forgeProof } from '../support/lying-server.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import {
  destroyStack,
  eventually,
  makeVendor,
  type Stack,
  stable,
  startStack,
  type TestVendor,
} from '../support/stack.ts';

type Released = ProductProof['releases'][number];
type Moved = ProductProof['channels'][number];

let stack: Stack;
let vendor: TestVendor;
/** Another publisher, and a product of the same name. */
let namesake: TestVendor;
let rpc: Rpc;
let proof: ProductProof;
let entries: readonly Entry[];
const version = parseVersion('1.0.0');

beforeAll(async () => {
  stack = await startStack();
  rpc = createRpc(stack.rpcUrl);
  [vendor, namesake] = [await makeVendor(stack, { name: 'lamp' }), await makeVendor(stack, { name: 'lamp' })];
  for (const each of ['1.0.0', '1.1.0']) await vendor.publish(each, randomBytes(100));
  await vendor.promote('1.1.0');
  await namesake.publish('6.6.6', randomBytes(100));
  // Until devices have their evidence, the embedded chain makes blocks.
  await eventually(
    () => vendor.vendor.client.evidence(vendor.product, stable),
    (text) => text.length > 0,
    'evidence',
  );
  entries = await historyOf(vendor.product);
  proof = await proofOf(vendor.product, 'release=1.0.0&release=1.1.0&channel=stable');
});
afterAll(() => destroyStack(stack));

const read = async (product: ProductId, path: string, server = stack) =>
  fetch(`${server.url}/v1/products/${product}/${path}`);
const historyOf = async (product: ProductId) =>
  pageOf(entrySchema).parse(await (await read(product, 'history?limit=1000')).json()).items;
const proofOf = async (product: ProductId, query = '') =>
  parseProductProof(await (await read(product, `proof?${query}`)).text());
const placeOf = ({ product }: TestVendor) => ({ ...stack.info, product });
const proven = (lie: ProductProof = proof) => proveProduct(lie, placeOf(vendor));

function replay(given: readonly Entry[]): Replay {
  const replayed = new Replay();
  for (const entry of given) replayed.take(entry);
  return replayed;
}

describe('A19 storage that never was', () => {
  type Lie = readonly [string, ErrorCode, (honest: ProductProof) => Partial<ProductProof>];
  const ofProduct = ['state', 'configuration', 'history', 'trustRoot', 'pending', 'pendingFrom'] as const;
  const ofReleases = (change: (honest: Released, other: Released) => Partial<Released>) => (honest: ProductProof) => {
    const [first, second] = honest.releases as [Released, Released];
    return { releases: [{ ...first, ...change(first, second) }, second] };
  };
  const ofChannels = (change: (honest: Moved) => Partial<Moved>) => (honest: ProductProof) => {
    const [only] = honest.channels as [Moved];
    return { channels: [{ ...only, ...change(only) }] };
  };
  const lies: readonly Lie[] = [
    ['the account', 'account-proof-invalid', ({ accountProof }) => ({ accountProof: forgeProof(accountProof) })],
    ...ofProduct.map(
      (part): Lie => [
        `the ${part} of the product`,
        'storage-proof-invalid',
        ({ product }) => ({ product: { ...product, [part]: forgeProof(product[part]) } }),
      ],
    ),
    ['a release', 'storage-proof-invalid', ofReleases(({ state }) => ({ state: forgeProof(state) }))],
    ['a commitment', 'storage-proof-invalid', ofReleases(({ commitment }) => ({ commitment: forgeProof(commitment) }))],
    ['one release with the state of another', 'storage-proof-invalid', ofReleases((_, { state }) => ({ state }))],
    ['a head', 'storage-proof-invalid', ofChannels((honest) => ({ version: forgeProof(honest.version) }))],
    ['a schedule', 'storage-proof-invalid', ofChannels(({ schedule }) => ({ schedule: forgeProof(schedule) }))],
    ['no proof at all', 'storage-proof-invalid', ({ product }) => ({ product: { ...product, history: [] } })],
    ['another state root', 'account-proof-invalid', ({ block }) => ({ block: { ...block, stateRoot: block.hash } })],
    ['another chain', 'chain-mismatch', ({ block }) => ({ block: { ...block, chainId: 1 } })],
    [
      'a proof without end',
      'proof-too-large',
      ({ product }) => ({ product: { ...product, state: Array<string>(65).fill(product.state[0] ?? '') } }),
    ],
  ];

  test.each(lies)('%s is refused', (_, code, lie) => expectCode(code, () => proven({ ...proof, ...lie(proof) })));

  test('no witness vouches for another block, and no witness counts twice', async () => {
    const { trustRoot } = await proven();
    const root = namedTrustRoot(proof, trustRoot, vendor.trustRoot);
    const { block, cosignatures } = proof;
    expect(vouchedByWitnesses(block, cosignatures, root)).toMatchObject({ reached: true });
    for (const lie of [{ stateRoot: block.hash }, { number: block.number + 1 }, { timestamp: 1 }, { chainId: 1 }])
      expect(vouchedByWitnesses({ ...block, ...lie }, cosignatures, root).operators).toEqual([]);
    // Nor does anybody for a chain that is not the trust root's.
    expect(vouchedByWitnesses(block, cosignatures, { ...root, chainId: 1 }).operators).toEqual([]);
    const [first] = cosignatures;
    const alone = vouchedByWitnesses(block, first ? [first, first, first] : [], root);
    expect(alone).toMatchObject({ reached: false, operators: [expect.any(String)] });
  });

  test('a trust root that the chain does not name vouches for nothing', async () => {
    const { trustRoot } = await proven();
    const trustRoots = [namesake.trustRoot.envelope];
    await expectCode('trust-root-mismatch', () => namedTrustRoot({ trustRoots }, trustRoot));
    await expectCode('trust-root-mismatch', () => namedTrustRoot({ trustRoots: [] }, trustRoot, namesake.trustRoot));
  });

  test('a server whose node lies hands on no proof, and proves again when it does not', async () => {
    const wire = await RpcProxy.start(stack.rpcUrl);
    const witness: WitnessDaemon = await startWitness(stack.rpcUrl, stack.directory, 'alpha');
    const { environment } = await onChainOf(stack, { rpcUrl: wire.url, witnesses: [witness] });
    const other = await startStack(undefined, environment);
    try {
      type Answer = { readonly storageProof: readonly { readonly proof: readonly string[] }[] };
      wire.lie = ({ method }, result) => {
        if (method !== 'eth_getProof') return result;
        const { storageProof, ...rest } = result as Answer;
        return { ...rest, storageProof: storageProof.map((one) => ({ ...one, proof: forgeProof(one.proof) })) };
      };
      const answer = await read(vendor.product, 'proof', other);
      expect(await problemOf(answer)).toMatchObject({ code: 'evidence-not-ready', status: 503 });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const asked = new Map<string, number>();
      wire.lie = ({ method, params: [, slots] }, result) => {
        // The six words of a product are for auditors; the server's own evidence asks for others.
        const what = Array.isArray(slots) ? `${method} ${slots.length}` : method;
        asked.set(what, (asked.get(what) ?? 0) + 1);
        return result;
      };
      const everybody = (path: string) =>
        Promise.all(Array.from({ length: 20 }, async () => (await read(vendor.product, path, other)).text()));
      const proofs = await everybody('proof');
      expect((await proven(parseProductProof(proofs[0] ?? ''))).history).toBe((await proven()).history);
      const transactions = await everybody('history/1/transaction');
      // However many ask, the node works once (V10).
      expect([new Set(proofs).size, new Set(transactions).size]).toEqual([1, 1]);
      expect([asked.get('eth_getProof 6'), asked.get('eth_getTransactionByHash')]).toEqual([1, 1]);
    } finally {
      await destroyStack(other);
      await witness.stop();
      await wire.stop();
    }
  });
});

describe('A20 a history with holes', () => {
  const verdict = async (given: readonly Entry[]): Promise<HistoryVerdict | string> => {
    try {
      return compareHistories(replay(given), await proven());
    } catch (error) {
      if (!isFirmproofError(error)) throw error;
      return `${error.code} ${error.details?.['sequence']}: ${error.message}`;
    }
  };

  test('is complete when it is', async () => {
    expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(await verdict(entries)).toEqual({ complete: true });
  });

  test('an entry that is left out is named, wherever it was', async () => {
    const without = (sequence: number) => entries.filter((entry) => entry.sequence !== sequence);
    expect(await verdict(without(1))).toBe('history-incomplete 1: entry 1 is missing');
    expect(await verdict(without(3))).toBe('history-incomplete 3: entry 3 is missing');
    expect(await verdict(without(4))).toEqual({ complete: false, sequence: 4, firstDifference: 'entry 4 is missing' });
    expect(await verdict([])).toMatchObject({ sequence: 1, firstDifference: 'entries 1 to 4 are missing' });
  });

  test('closed up by numbers of their own, entries are not what they were', async () => {
    const closed = entries
      .filter(({ sequence }) => sequence !== 3)
      .map((entry, index) => ({ ...entry, sequence: index + 1 }));
    expect(await verdict(closed)).toBe('entry-malformed undefined: entry 3 is malformed: its own number is 4');
  });

  test('an entry that is changed is found by the proof, and named by whoever has the real one', async () => {
    const [image, other] = [entries[1]?.data.slice(2, 66) ?? '', 'ab'.repeat(32)];
    const lies = entries.map((entry) => ({ ...entry, data: entry.data.replace(image, other) }));
    expect(await verdict(lies)).toMatchObject({ complete: false, sequence: 4 });
    const named = entries.flatMap((entry, index) => describeDifference(entry, lies[index] as Entry) ?? []);
    expect(named).toEqual(['entry 2: the data differs']);
  });

  test('an entry is not in another block than it says', async () => {
    const moved = entries.map((entry) =>
      entry.sequence === 2 ? { ...entry, block: { ...entry.block, number: entry.block.number + 1 } } : entry,
    );
    expect(await verdict(moved)).toContain('entry-malformed 3');
  });
});

describe('A21 logs of somebody else', () => {
  let logs: readonly RpcLog[];
  beforeAll(async () => {
    const filter = { address: stack.info.registry, topics: [null, vendor.product], fromBlock: '0x0' };
    logs = await rpc<RpcLog[]>('eth_getLogs', [filter]);
  });
  const entriesOf = (given: readonly RpcLog[]) =>
    given.map((log) => entryOfLog(log, placeOf(vendor))).filter((entry) => entry !== null);

  test('a node’s own logs are the entries that the server has', () => {
    expect(entriesOf(logs)).toEqual(entries);
  });

  test.each<[string, (log: RpcLog) => RpcLog]>([
    ['another emitter', (log) => ({ ...log, address: `0x${'11'.repeat(20)}` })],
    [
      'another event',
      ({ topics: [, ...topics], ...log }) => ({ ...log, topics: [eventTopics.vetoed.replace(/.$/, '0'), ...topics] }),
    ],
    ['another product', (log) => ({ ...log, topics: log.topics.with(1, namesake.product) })],
    ['a log that was taken back', (log) => ({ ...log, removed: true })],
    ['a log of no block yet', (log) => ({ ...log, blockNumber: null, blockHash: null })],
  ])('%s is not counted', (_, lie) => {
    expect(entriesOf(logs.map((log, index) => (index === 1 ? lie(log) : log)))).toEqual(entries.toSpliced(1, 1));
  });

  test('an event of another kind under a genuine number is no entry of this history', async () => {
    const [first, second, ...rest] = entries as [Entry, Entry, ...Entry[]];
    const topics = second.topics.with(0, eventTopics.halted) as Entry['topics'];
    await expectCode('entry-malformed', () => replay([first, { ...second, topics }, ...rest]));
  });
});

describe('A28 two products of one name', () => {
  test('are two histories: what identifies a product is its id', async () => {
    expect(namesake.product).not.toBe(vendor.product);
    const theirs = await historyOf(namesake.product);
    expect(theirs.map(({ topics }) => topics[1])).toEqual([namesake.product, namesake.product]);
    expect(compareHistories(replay(theirs), await proven())).toMatchObject({ complete: false, sequence: 3 });
  });

  test('the proof of one proves nothing about the other', () =>
    expectCode('storage-proof-invalid', () => proveProduct(proof, placeOf(namesake))));

  test('an entry of one does not stand in the history of the other', async () => {
    const [, release] = await historyOf(namesake.product);
    const block = entries[1]?.block ?? { number: 1, hash: entries[0]?.block.hash };
    const mixed = [entries[0], { ...release, block }, entries[2]] as Entry[];
    await expectCode('entry-malformed', () => replay(mixed));
  });
});

// The last: it leaves another chain behind.
describe('A23 a reorganisation', () => {
  test('has the events of the new chain served, and proofs of it alone', async () => {
    const before = await proven();
    const last = entries.at(-1)?.block.number ?? 0;
    const latest = Number(await rpc<string>('eth_blockNumber'));
    await rpc('anvil_reorg', [latest - last + 3, []]);
    // Else the new blocks could have the times of the old ones, and the history be the same.
    await rpc('evm_increaseTime', [60]);
    await rpc('anvil_mine', ['0x3']);
    // The server relays again what was lost; blocks and transactions are others now.
    const after = await eventually(
      () => historyOf(vendor.product),
      (now) => now.length === entries.length && now.at(-1)?.block.hash !== entries.at(-1)?.block.hash,
      'the history of the new chain',
    );
    for (const { block, transaction } of after) {
      const found = await rpc<{ hash: string }>('eth_getBlockByNumber', [`0x${block.number.toString(16)}`, false]);
      const receipt = await rpc<{ blockHash: string }>('eth_getTransactionReceipt', [transaction]);
      expect([found.hash, receipt.blockHash]).toEqual([block.hash, block.hash]);
    }
    const now = await eventually(
      async () => proven(await proofOf(vendor.product, `release=${version}`)),
      ({ sequence }) => sequence === entries.length,
      'a proof of the new chain',
    );
    expect(compareHistories(replay(after), now)).toEqual({ complete: true });
    // Times have changed, and with them every hash: what was replayed before is not the history of this chain.
    expect(now.history).not.toBe(before.history);
    expect(compareHistories(replay(entries), now)).toMatchObject({ complete: false });
  });
});
