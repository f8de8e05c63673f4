// A19, A20, A21, A23, A40 against the audit: nodes that lie about state, leave events out or make them up; a chain that is rewritten.
import { randomBytes } from 'node:crypto';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditSummary, auditProduct, FirmproofClient } from '@firmproof/client';
import { createRpc, hexQuantity } from '@firmproof/protocol/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { auditSummary } from '../support/audit.ts';
import { firmproof, runCommand } from '../support/command.ts';
import { expectCode } from '../support/expect-code.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import {
  destroyStack,
  eventually,
  makeVendor,
  type Stack,
  startStack,
  type TestVendor,
  temporaryDirectory,
} from '../support/stack.ts';

type Log = { topics: string[]; data: string; address: string; blockHash: string };
type Block = { hash: string; stateRoot: string };
type Proof = { accountProof: string[]; storageProof: { proof: string[] }[] };

let stack: Stack;
let vendor: TestVendor;
let directory: string;
/** Three wires to one chain: what they say differs by their lies only. */
let wires: readonly [RpcProxy, RpcProxy, RpcProxy];
beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack);
  directory = temporaryDirectory();
  await vendor.publish('1.0.0', randomBytes(1000));
  await vendor.promote('1.0.0');
  wires = await Promise.all([1, 2, 3].map(() => RpcProxy.start(stack.rpcUrl))).then(([one, two, three]) => [
    one as RpcProxy,
    two as RpcProxy,
    three as RpcProxy,
  ]);
});
afterEach(() => {
  for (const wire of wires) wire.honest();
});
afterAll(async () => {
  for (const wire of wires) await wire.stop();
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

const place = () => ({ registry: stack.info.registry, product: vendor.product });
const alone = () => auditSummary({ ...place(), rpcUrls: [wires[0].url], approvals: false });
const together = (quorum?: number) =>
  auditSummary({ ...place(), rpcUrls: wires.map(({ url }) => url), approvals: false, quorum });
const found = ({ findings }: AuditSummary) => findings.map(({ code, severity }) => `${severity} ${code}`);
const second = `0x${'2'.padStart(64, '0')}`;
const flipped = (hex: string) => `${hex.slice(0, -1)}${hex.endsWith('0') ? '1' : '0'}`;

describe('A19 a node that lies about state', () => {
  const falseProof = ({ method }: { method: string }, result: unknown) => {
    if (method !== 'eth_getProof') return result;
    const { storageProof, ...rest } = result as Proof;
    return { ...rest, storageProof: storageProof.map(({ proof }) => ({ proof: proof.map(flipped) })) };
  };
  const falseRoot = ({ method }: { method: string }, result: unknown) =>
    method === 'eth_getBlockByNumber' ? { ...(result as Block), stateRoot: `0x${'66'.repeat(32)}` } : result;

  test('is refused where it is asked alone: a proof that does not hold, a root that no proof leads to', async () => {
    wires[0].lie = falseProof;
    await expectCode('storage-proof-invalid', alone);
    wires[0].lie = falseRoot;
    await expectCode('account-proof-invalid', alone);
  });

  test('does not keep a quorum of others from the truth, and is told of', async () => {
    wires[0].lie = falseProof;
    const proofs = await together();
    expect(proofs.complete).toBe(true);
    expect(found(proofs)).toEqual(['bad nodes-disagree']);
    wires[0].lie = falseRoot;
    const roots = await together();
    expect(roots.complete).toBe(true);
    expect(found(roots)).toEqual(['bad nodes-disagree']);
    expect(roots.basis.nodes).toMatchObject({ asked: 3, quorum: 2, agree: { length: 2 } });
  });

  test('about its chain leaves the others to agree without it, whichever is asked first', async () => {
    for (const wire of [wires[0], wires[2]]) {
      wire.lie = ({ method }, result) => (method === 'eth_chainId' ? '0x1' : result);
      const summary = await together();
      expect(summary.complete).toBe(true);
      expect(found(summary)).toEqual(['warn nodes-disagree']);
      expect(summary.basis.nodes).toMatchObject({ asked: 3, quorum: 2, agree: { length: 2 } });
      await expectCode('chain-mismatch', () => together(3));
      wire.honest();
    }
  });

  test('leaves nothing to go by where nobody else is enough', async () => {
    wires[0].lie = falseRoot;
    await expectCode('nodes-disagree', () => together(3));
    wires[1].cut = true;
    wires[2].cut = true;
    await expectCode('no-quorum', together);
  });

  test('by calling an old block the newest is behind the witnesses', async () => {
    using whole = await auditProduct({ ...place(), rpcUrls: [stack.rpcUrl], approvals: false });
    const [, published] = whole.events();
    const old = await createRpc(stack.rpcUrl)('eth_getBlockByNumber', [
      hexQuantity(published?.event.block.number ?? 0),
      false,
    ]);
    wires[0].lie = ({ method, params }, result) =>
      method === 'eth_getBlockByNumber' && params[0] === 'finalized' ? old : result;
    const client = new FirmproofClient({ server: stack.url });
    const { trustRoot } = vendor;
    const summary = await auditSummary({ ...place(), rpcUrls: [wires[0].url], approvals: false, client, trustRoot });
    expect(summary).toMatchObject({
      complete: true,
      sequence: 2,
      basis: { witnesses: { sequence: 3, trustRoot: 'held' } },
    });
    expect(found(summary)).toEqual(['warn nodes-disagree']);
    expect(summary.findings[0]?.message).toMatch(/^the witnesses vouch for 3 events .* the nodes know 2 /);
  });

  test('or one that hangs, or is down, does not hold up the others', async () => {
    wires[0].hangs = true;
    const begun = Date.now();
    expect(found(await together())).toEqual([]);
    wires[0].cut = true;
    expect(found(await together())).toEqual([]);
    expect(Date.now() - begun).toBeLessThan(10_000);
  });
});

describe('A20 a node that leaves an event out', () => {
  const without = (sequence: string) => (call: { method: string }, result: unknown) =>
    call.method === 'eth_getLogs' ? (result as Log[]).filter(({ topics }) => topics[2] !== sequence) : result;

  test('is told of, with the first difference, where it is asked alone', async () => {
    wires[0].lie = without(second);
    const summary = await alone();
    expect(summary.complete).toBe(false);
    expect(summary.firstDifference?.sequence).toBe(2);
    expect(summary.firstDifference?.message).toMatch(/^first difference at event 2, in or before block \d+: node 1/);
    expect(found(summary)).toEqual(['bad history-incomplete']);
  });

  test('is made good for by another of the quorum', async () => {
    wires[0].lie = without(second);
    const summary = await together();
    expect(summary.complete).toBe(true);
    expect(found(summary)).toEqual(['warn nodes-disagree']);
  });
});

describe('A21 a node that makes events up', () => {
  const logs = (change: (log: Log) => Log[]) => (call: { method: string }, result: unknown) =>
    call.method === 'eth_getLogs' ? (result as Log[]).flatMap(change) : result;
  const isSecond = (log: Log) => log.topics[2] === second;
  const stranger = `0x${'11'.repeat(20)}`;

  test.each<[string, (log: Log) => Log]>([
    ['of another contract', (log) => ({ ...log, address: stranger })],
    ['of another kind', (log) => ({ ...log, topics: [`0x${'22'.repeat(32)}`, ...log.topics.slice(1)] })],
    ['of another block', (log) => ({ ...log, blockHash: `0x${'33'.repeat(32)}` })],
    ['with other data', (log) => ({ ...log, data: `${log.data.slice(0, 10)}${'4'.repeat(8)}${log.data.slice(18)}` })],
  ])('%s instead of the real one is found out, and another node asked', async (_, change) => {
    wires[0].lie = logs((log) => (isSecond(log) ? [change(log)] : [log]));
    expect(await alone()).toMatchObject({ complete: false, releaseCount: 0 });
    const summary = await together();
    expect(summary.complete).toBe(true);
    expect(found(summary)).toEqual(['warn nodes-disagree']);
  });

  test('leaves nothing on the disk that would spoil the next audit', async () => {
    const stateDirectory = join(directory, 'lied-to');
    const audited = async () => {
      using audit = await auditProduct({ ...place(), rpcUrls: [wires[0].url], approvals: false, stateDirectory });
      return audit.summary.complete;
    };
    const third = `0x${'3'.padStart(64, '0')}`;
    const changed = (log: Log) => ({ ...log, data: `${log.data.slice(0, 10)}${'4'.repeat(8)}${log.data.slice(18)}` });
    wires[0].lie = logs((log) => [isSecond(log) ? changed(log) : log]);
    expect(await audited()).toBe(false);
    wires[0].honest();
    expect(await audited()).toBe(true);
    rmSync(stateDirectory, { recursive: true });
    // One was changed, and the walk never comes to its end.
    wires[0].lie = logs((log) => (isSecond(log) ? [] : [log.topics[2] === third ? changed(log) : log]));
    expect(await audited()).toBe(false);
    wires[0].honest();
    expect(await audited()).toBe(true);
  });

  test('about the hash of a block does not bring others into disrepute', async () => {
    const finalNumber = (await alone()).block.number;
    // The final block itself is shown as it is: only what the walk asks for is changed.
    wires[1].lie = ({ method, params }, result) => {
      const isFinal = params[0] === 'finalized' || Number(params[0]) === finalNumber;
      if (method !== 'eth_getBlockByNumber' || isFinal) return result;
      return { ...(result as Block), hash: `0x${'55'.repeat(32)}` };
    };
    const summary = await together();
    expect(summary.complete).toBe(true);
    expect(summary.findings[0]?.message).toMatch(/^node 2 .*shows another hash of block/);
  });

  test('beside the real ones is not heard', async () => {
    wires[0].lie = logs((log) => [{ ...log, address: stranger }, log, { ...log, topics: log.topics.slice(0, 3) }]);
    const summary = await alone();
    expect(summary.complete).toBe(true);
    expect(found(summary)).toEqual([]);
  });
});

describe('A40 a node whose address is a secret', () => {
  test('has it shown nowhere: output, report, export, state', async () => {
    const { port } = new URL(wires[0].url);
    const secrets = ['user-7d1', 'staple-9c2', 'path-key-3e8', 'query-key-5a4'];
    const [user, password, path, query] = secrets;
    const url = `http://${user}:${password}@127.0.0.1:${port}/v3/${path}?key=${query}`;
    const home = join(directory, 'home');
    const files = ['csv', 'html', 'export'].flatMap((kind) => [`--${kind}`, join(directory, `report.${kind}`)]);
    const args = ['audit', vendor.product, '--rpc', url, '--registry', stack.info.registry, '--home', home, '--events'];
    const outcomes = [await runCommand(firmproof, [...args, ...files, '--json'])];
    expect(outcomes[0]?.code, outcomes[0]?.stderr).toBe(0);
    wires[0].lie = (call, result) => (call.method === 'eth_getLogs' ? [] : result);
    rmSync(join(home, 'audits'), { recursive: true });
    outcomes.push(await runCommand(firmproof, args));
    expect(outcomes[1]?.code).toBe(5);
    wires[0].limit = () => ({ status: 200, body: `{"id":1,"error":{"code":1,"message":"no access: ${url}"}}` });
    outcomes.push(await runCommand(firmproof, args));
    wires[0].cut = true;
    outcomes.push(await runCommand(firmproof, args));
    expect(outcomes.map(({ code }) => code)).toEqual([0, 5, 7, 7]);
    const written = globSync('**/*', { cwd: directory, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    expect(written.length).toBeGreaterThan(5);
    const basic = Buffer.from(`${user}:${password}`).toString('base64');
    for (const text of [...written, ...outcomes.flatMap(({ stdout, stderr }) => [stdout, stderr])])
      for (const secret of [...secrets, basic]) expect(text).not.toContain(secret);
  });
});

describe('A23 a reorganisation below what was final', () => {
  test('is told of by the next audit, which then goes by the chain as it is', async () => {
    const stateDirectory = join(directory, 'reorganised');
    const audited = async () => {
      using audit = await auditProduct({ ...place(), rpcUrls: [stack.rpcUrl], approvals: false, stateDirectory });
      return audit.summary;
    };
    const before = await audited();
    expect(before).toMatchObject({ complete: true, sequence: 3, findings: [] });
    const rpc = createRpc(stack.rpcUrl);
    const latest = Number(await rpc<string>('eth_blockNumber'));
    await rpc('anvil_reorg', [Math.min(8, latest - 2), []]);
    await rpc('anvil_mine', ['0x3']);
    // The server has what was lost relayed again, at another time.
    await eventually(
      () => auditSummary({ ...place(), rpcUrls: [stack.rpcUrl], approvals: false }),
      ({ sequence, history }) => sequence === 3 && history !== before.history,
      'the chain to have the events again',
    );
    const after = await audited();
    expect(after.complete).toBe(true);
    expect(found(after)).toEqual(['bad history-differs']);
    expect(after.findings[0]?.sequence).toBe(3);
    expect(found(await audited())).toEqual([]);
  });
});
