import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blockStatementBytes, parseWitnessedBlock, verifySignature } from '@firmproof/protocol';
import { createRpc, createWitness } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproof, installed, runCommand } from '../support/command.ts';
import { expectCode } from '../support/expect-code.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import { destroyStack, eventually, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';

let stack: Stack;
let directory: string;
beforeAll(async () => {
  stack = await startStack();
  directory = temporaryDirectory();
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

/** Whether this is a Node that cannot read the sources itself. */
function isOldNode(file: string): boolean {
  const { stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
  return Number(/^v(\d+)/.exec(stdout ?? '')?.[1] ?? 99) < 24;
}

const oldNode = process.env['PATH']
  ?.split(':')
  .map((path) => join(path, 'node'))
  .find(isOldNode);

describe('firmproof witness', () => {
  test('vouches for final blocks over HTTP, with the key that it has shown before', async () => {
    const data = join(directory, 'daemon');
    const shown = await runCommand(firmproof, [
      'witness',
      '--operator',
      'acme',
      '--data',
      data,
      '--show-key',
      '--json',
    ]);
    const { publicKey, member } = JSON.parse(shown.stdout);
    expect(member).toBe(`acme=${publicKey}`);
    const args = [
      'witness',
      '--operator',
      'acme',
      '--data',
      data,
      '--rpc',
      stack.rpcUrl,
      '--port',
      '0',
      '--poll',
      '100',
      '--json',
    ];
    const child: ChildProcess = spawn(process.execPath, [firmproof, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
      const { url } = JSON.parse(line.toString());
      const latest = async () => (await fetch(`${url}/v1/cosignatures/latest`)).text();
      const { block, cosignature } = parseWitnessedBlock(
        await eventually(latest, (text) => text.includes('cosignature'), 'a cosignature'),
      );
      expect(cosignature.publicKey).toBe(publicKey);
      const signature = Buffer.from(cosignature.signature, 'base64');
      expect(verifySignature(cosignature.publicKey, blockStatementBytes(block), signature)).toBe(true);
      expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ operator: 'acme' });
      expect((await fetch(`${url}/v1/cosignatures/999999`)).status).toBe(404);
      expect((await fetch(`${url}/v1/cosignatures/latest`, { method: 'POST' })).status).toBe(405);
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    }
  });

  test.skipIf(oldNode === undefined)('ends with the process that an old Node has started it from', async () => {
    const data = join(directory, 'launched');
    const args = ['witness', '--operator', 'acme', '--data', data, '--rpc', stack.rpcUrl, '--port', '0', '--json'];
    const child: ChildProcess = spawn(oldNode ?? '', [installed.firmproof, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    const { url } = JSON.parse(line.toString());
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  test('says what is missing', async () => {
    expect((await runCommand(firmproof, ['witness', '--json'])).code).toBe(2);
    expect((await runCommand(firmproof, ['witness', '--operator', 'a', '--data', directory, '--json'])).code).toBe(2);
  });
});

describe('a witness', () => {
  const key = generateKeyPairSync('ed25519').privateKey;
  const open = (rpcUrl: string, name: string, onTrouble?: (error: unknown) => void) =>
    createWitness({
      rpcUrl,
      key,
      operator: 'acme',
      stateFile: join(directory, name),
      pollMilliseconds: 50,
      ...(onTrouble && { onTrouble }),
    });

  test('never signs what is not final', async () => {
    const witness = open(stack.rpcUrl, 'final.json');
    await witness.follow();
    const rpc = createRpc(stack.rpcUrl);
    const final = Number((await rpc<{ number: string }>('eth_getBlockByNumber', ['finalized', false])).number);
    expect(witness.latest()?.block.number).toBe(final);
    expect(await witness.cosignatureFor(final + 1)).toBeNull();
  });

  test('never signs two hashes for one number, not even after a restart', async () => {
    const wire = await RpcProxy.start(stack.rpcUrl);
    try {
      const first = open(wire.url, 'twice.json');
      await first.follow();
      const signed = first.latest();
      wire.lie = ({ method }, result) =>
        method === 'eth_getBlockByNumber' ? { ...(result as object), hash: `0x${'ab'.repeat(32)}` } : result;
      await expectCode('witness-refused', () => first.follow());
      const again = open(wire.url, 'twice.json');
      await expectCode('witness-refused', () => again.follow());
      expect(again.latest()).toEqual(signed);
    } finally {
      await wire.stop();
    }
  });

  test('never goes backwards', async () => {
    const wire = await RpcProxy.start(stack.rpcUrl);
    try {
      const witness = open(wire.url, 'backwards.json');
      await createRpc(stack.rpcUrl)('anvil_mine', ['0x5']);
      await witness.follow();
      const signed = witness.latest();
      wire.lie = ({ method, params }, result) =>
        method === 'eth_getBlockByNumber' && params[0] === 'finalized'
          ? { ...(result as object), number: '0x1', hash: `0x${'cd'.repeat(32)}` }
          : result;
      await witness.follow().catch(() => undefined);
      expect(witness.latest()).toEqual(signed);
    } finally {
      await wire.stop();
    }
  });

  test('never vouches for another chain with the same memory', async () => {
    const wire = await RpcProxy.start(stack.rpcUrl);
    try {
      const witness = open(wire.url, 'chain.json');
      await witness.follow();
      await createRpc(stack.rpcUrl)('anvil_mine', ['0x3']);
      wire.lie = ({ method }, result) => (method === 'eth_chainId' ? '0x1' : result);
      await expectCode('witness-refused', () => witness.follow());
    } finally {
      await wire.stop();
    }
  });

  test('does not start on a damaged memory: it could sign twice', async () => {
    const witness = open(stack.rpcUrl, 'damaged.json');
    await witness.follow();
    const file = join(directory, 'damaged.json');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20));
    await expectCode('config-invalid', () => open(stack.rpcUrl, 'damaged.json'));
  });

  test('goes on after its node was away', async () => {
    const wire = await RpcProxy.start(stack.rpcUrl);
    const troubles: unknown[] = [];
    const witness = open(wire.url, 'away.json', (error) => troubles.push(error));
    wire.cut = true;
    witness.start();
    try {
      await eventually(
        () => Promise.resolve(troubles.length),
        (count) => count > 0,
        'trouble',
      );
      wire.cut = false;
      await eventually(
        () => Promise.resolve(witness.latest()),
        (latest) => latest !== null,
        'a signature',
      );
    } finally {
      await witness.stop();
      await wire.stop();
    }
  });
});
