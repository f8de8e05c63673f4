// What the server hands to auditors: it only carries, so everything here is checked as a stranger would check it.
import { randomBytes } from 'node:crypto';
import { addBuildKey } from '@firmproof/client';
import { pageOf, parseChannel, parseVersion, sha256, zeroBytes32 } from '@firmproof/protocol';
import {
  accountEventTopics,
  approvalOf,
  compareHistories,
  compareState,
  decodeEntry,
  type Entry,
  entrySchema,
  namedTrustRoot,
  ProductHistory,
  parseProductProof,
  proveProduct,
  Replay,
  type RpcLog,
  signerSetsOf,
  transactionSchema,
  vouchedByWitnesses,
} from '@firmproof/protocol/audit';
import { createRpc, publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { problemOf } from '../support/http.ts';
import { rotate } from '../support/mover.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';
import { makeTeam } from '../support/team-vendor.ts';

let stack: Stack;
let vendor: TestVendor;
const [one, two] = [parseVersion('1.0.0'), parseVersion('1.1.0')];
const beta = parseChannel('beta');

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack);
  for (const version of [one, two]) await vendor.publish(version, randomBytes(100));
  await vendor.promote(two, 'beta');
  // Until devices have their evidence, the embedded chain makes blocks.
  await eventually(
    () => vendor.vendor.client.evidence(vendor.product, beta),
    (text) => text.length > 0,
    'evidence',
  );
});
afterAll(() => destroyStack(stack));

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${stack.url}/v1/products/${vendor.product}/${path}`, { headers });
const code = async (path: string) => (await problemOf(await get(path))).code;
const page = async (query: string) => pageOf(entrySchema).parse(await (await get(`history?${query}`)).json());
const place = () => ({ ...stack.info, product: vendor.product });

async function replayed(): Promise<{ replay: Replay; history: ProductHistory; entries: readonly Entry[] }> {
  const { items } = await page('limit=1000');
  const [replay, history] = [new Replay(), new ProductHistory()];
  for (const entry of items) history.apply(replay.take(entry));
  return { replay, history, entries: items };
}

describe('history', () => {
  test('comes oldest first, page by page', async () => {
    const first = await page('limit=3');
    expect(first.items.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(first.next).toBe('3');
    const second = await page(`limit=3&after=${first.next}`);
    expect(second.items.map(({ sequence }) => sequence)).toEqual([4]);
    expect(second.next).toBeUndefined();
    expect((await page('after=9')).items).toEqual([]);
  });

  test('is cacheable: for longer where a page is full, and named by what it holds', async () => {
    const full = await get('history?limit=1');
    expect(full.headers.get('cache-control')).toBe('public, max-age=3600');
    const last = await get('history');
    expect(Number(/^public, max-age=(\d+)$/.exec(last.headers.get('cache-control') ?? '')?.[1])).toBeLessThan(3600);
    const again = await get('history', { 'if-none-match': last.headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
  });

  test.each(['limit=0', 'limit=1001', 'limit=x', 'after=-1', 'after=1&after=2'])('refuses %s', async (query) => {
    expect(await code(`history?${query}`)).toBe('request-invalid');
  });

  test('of nothing is not found', async () => {
    const answer = await fetch(`${stack.url}/v1/products/${zeroBytes32}/history`);
    expect(await problemOf(answer)).toMatchObject({ code: 'product-not-found', status: 404 });
  });
});

describe('proof', () => {
  test('proves what the history replays to, vouched for by every witness', async () => {
    const answer = await get(`proof?release=${one}&release=${two}&release=9.9.9&channel=beta&channel=stable`);
    const proof = parseProductProof(await answer.text());
    const proven = await proveProduct(proof, place());
    const { replay, history } = await replayed();
    expect(compareHistories(replay, proven)).toEqual({ complete: true });
    // Two that were never there are proved to be absent.
    expect(compareState(history, proven)).toEqual([]);
    expect(proven.releases.get(two)).toMatchObject({ status: 'active', sequence: 3 });
    expect(proven.channels.get(beta)).toMatchObject({ version: two, halted: false });
    expect(proven.channels.get(parseChannel('stable'))?.version).toBeNull();
    expect(proven).toMatchObject({ pending: null, pendingFrom: 0, epoch: 1, publisher: history.publisher });
    const root = namedTrustRoot(proof, proven.trustRoot);
    expect(root.digest).toBe(vendor.trustRoot.digest);
    expect(namedTrustRoot(proof, proven.trustRoot, vendor.trustRoot).digest).toBe(root.digest);
    const vouching = vouchedByWitnesses(proof.block, proof.cosignatures, root);
    expect(vouching).toMatchObject({ quorum: 2, reached: true });
    expect(vouching.operators).toHaveLength(3);
  });

  test('is taken once a block, however it is asked for', async () => {
    const first = await get('proof?release=1.0.0&release=1.1.0');
    const other = await get('proof?release=1.1.0&release=1.0.0&release=1.0.0');
    expect(other.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(sha256(new Uint8Array(await other.arrayBuffer()))).toBe(sha256(new Uint8Array(await first.arrayBuffer())));
    const unchanged = await get('proof?release=1.0.0&release=1.1.0', {
      'if-none-match': first.headers.get('etag') ?? '',
    });
    expect(unchanged.status).toBe(304);
    expect(first.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/);
  });

  test('is about so many releases and channels at most', async () => {
    const many = (name: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${name}=1.0.${index}`).join('&');
    expect((await get(`proof?${many('release', 16)}`)).status).toBe(200);
    expect(await code(`proof?${many('release', 17)}`)).toBe('request-invalid');
    expect(await code('proof?release=x')).toBe('version-invalid');
    expect(await code('proof?channel=%20')).toBe('name-invalid');
  });
});

describe('transactions', () => {
  test('carry the approval of each entry', async () => {
    const { entries } = await replayed();
    const [replay, history] = [new Replay(), new ProductHistory()];
    const approvals = [];
    for (const entry of entries) {
      const answer = await get(`history/${entry.sequence}/transaction`);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=3600');
      const event = replay.take(entry);
      const approver = history.approverOf(event);
      const transaction = transactionSchema.parse(await answer.json());
      approvals.push(await approvalOf(event, transaction, { ...stack.info, approver }));
      history.apply(event);
    }
    const signer = vendor.wallet.address.toLowerCase();
    const approval = { approver: signer, form: 'key', quorum: 'reached', signers: [{ signer, valid: true }] };
    expect(approvals).toMatchObject([approval, approval, approval, approval]);
    expect(await code('history/99/transaction')).toBe('not-found');
    expect(await code('history/x/transaction')).toBe('request-invalid');
  });
});

test('the approvals of a team are proven from the chain alone, signer by signer', async () => {
  const team = await makeTeam(stack);
  const proposal = await team.propose('1.0.0', randomBytes(100));
  // Two of three: with a third approval the proposal may be confirmed before it comes.
  const [proposer, second] = team.signers;
  if (second) await team.approve(proposal, second);
  await team.settle(proposal);
  const filter = { address: team.account, topics: [accountEventTopics['signers-set']], fromBlock: '0x0' };
  const logs = await createRpc(stack.rpcUrl)<RpcLog[]>('eth_getLogs', [filter]);
  const signerSets = signerSetsOf(logs, team.account);
  expect(signerSets).toMatchObject([{ epoch: 1, threshold: 2, signers: team.signers.map(({ signer }) => signer) }]);
  const read = async (path: string) => (await fetch(`${stack.url}/v1/products/${team.product}/${path}`)).json();
  const [replay, history] = [new Replay(), new ProductHistory()];
  for (const entry of pageOf(entrySchema).parse(await read('history')).items) {
    const event = replay.take(entry);
    const transaction = transactionSchema.parse(await read(`history/${entry.sequence}/transaction`));
    const place = { ...stack.info, approver: history.approverOf(event) };
    const approval = await approvalOf(event, transaction, { ...place, signerSets });
    expect(approval).toMatchObject({ form: 'vendor-account', approver: team.account, epoch: 1, quorum: 'reached' });
    expect(approval.signers.map(({ signer }) => signer)).toContain(proposer?.signer);
    // Without the set the signatures hold as well; only whose they have to be is not known.
    expect(await approvalOf(event, transaction, place)).toEqual({ ...approval, quorum: 'unknown' });
    history.apply(event);
  }
  expect(history.sequence).toBe(2);
});

test('who holds an older trust root walks to the one that the chain names', async () => {
  const next = await rotate(
    stack,
    vendor,
    vendor.trustRoot,
    [addBuildKey(publicKeyOf(vendor.rootKey))],
    [vendor.rootKey],
  );
  const proof = parseProductProof(await (await get('proof?release=1.0.0')).text());
  const proven = await proveProduct(proof, place());
  expect(namedTrustRoot(proof, proven.trustRoot, vendor.trustRoot)).toMatchObject({ version: 2, digest: next.digest });
  const { replay, history, entries } = await replayed();
  expect(compareHistories(replay, proven)).toEqual({ complete: true });
  expect(compareState(history, proven)).toEqual([]);
  // Scheduling was approved; applying what was approved asks nobody.
  const [scheduled, applied] = entries.slice(-2).map(decodeEntry);
  expect([scheduled?.kind, applied?.kind]).toEqual(['scheduled', 'applied']);
  const forms = [];
  for (const [event, approver] of [
    [scheduled, history.publisher],
    [applied, null],
  ] as const) {
    if (event === undefined) continue;
    const transaction = transactionSchema.parse(await (await get(`history/${event.sequence}/transaction`)).json());
    forms.push((await approvalOf(event, transaction, { ...stack.info, approver })).form);
  }
  expect(forms).toEqual(['key', 'none']);
});

test('a chain that was started again proves its final block after a moment', async () => {
  const rpc = createRpc(stack.rpcUrl);
  const before = await rpc<string>('eth_blockNumber');
  await stack.stop();
  stack = await startStack(stack.directory);
  const proof = parseProductProof(await (await get('proof')).text());
  expect((await proveProduct(proof, place())).sequence).toBe(6);
  expect(proof.block.number).toBeGreaterThanOrEqual(Number(before) - 2);
});
