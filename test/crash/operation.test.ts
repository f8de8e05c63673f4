import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createRpc, nameOfProcess } from '@firmproof/protocol/node';
import { parseConfig, startServer } from '@firmproof/server';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { onChainOf, startWitness, type WitnessDaemon } from '../support/chain.ts';
import { makeDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';

let chain: Stack;
let wire: RpcProxy;
let witnesses: WitnessDaemon[];
let blocks: NodeJS.Timeout;

beforeAll(async () => {
  chain = await startStack();
  // A chain of the world makes blocks by itself.
  const rpc = createRpc(chain.rpcUrl);
  blocks = setInterval(() => void rpc('anvil_mine', ['0x1']).catch(() => undefined), 150);
  wire = await RpcProxy.start(chain.rpcUrl);
  witnesses = [];
  for (const operator of ['alpha', 'beta', 'gamma']) {
    witnesses.push(await startWitness(chain.rpcUrl, chain.directory, operator));
  }
});
afterEach(() => {
  wire.cut = false;
  wire.lie = (_, result) => result;
});
afterAll(async () => {
  clearInterval(blocks);
  for (const witness of witnesses) await witness.stop();
  await wire.stop();
  await destroyStack(chain);
});

/** A server on somebody's chain, with witnesses of their own. */
async function secondServer(options: { readonly balanceWei?: bigint } = {}) {
  const { environment, relayer } = await onChainOf(chain, { rpcUrl: wire.url, witnesses, ...options });
  const stack = await startStack(undefined, environment);
  const known = witnesses.map(({ witness: { operator, publicKey } }) => ({ operator, publicKey }));
  const info = { ...stack.info, witnesses: known };
  return { stack: { ...stack, info }, relayer };
}

const withStack = async (stack: Stack, act: () => Promise<void>) => {
  try {
    await act();
  } finally {
    await destroyStack(stack);
  }
};

describe('a server on a chain of its operator’s choice', () => {
  test('takes a release all the way to a device, with witness daemons', async () => {
    const { stack } = await secondServer();
    await withStack(stack, async () => {
      expect(stack.info).toMatchObject({ development: false });
      expect(stack.info.rpcUrl).toBeUndefined();
      const vendor = await makeVendor(stack);
      await vendor.publish('1.0.0', randomBytes(1_100_000));
      await vendor.promote('1.0.0');
      const device = makeDevice(vendor.trustRoot, [stack.url]);
      await eventually(
        async () => (await device.check()).verdict,
        ({ outcome }) => outcome === 'update',
        'the update',
      );
      expect(await device.install()).toMatchObject({ outcome: 'installed' });
      device.destroy();
    });
  });

  test('waits, visibly, for a relayer that is out of gas, and goes on when it is funded', async () => {
    const { stack, relayer } = await secondServer({ balanceWei: 0n });
    await withStack(stack, async () => {
      const registration = makeVendor(stack, { name: 'poor' });
      const metric = async () => (await fetch(`${stack.url}/metrics`)).text();
      expect(await metric()).toMatch(/^firmproof_relayer_remaining_releases 0$/m);
      await eventually(metric, (text) => /^firmproof_proposals_unfinished 1$/m.test(text), 'the proposal to wait');
      await createRpc(chain.rpcUrl)('anvil_setBalance', [relayer, '0x56bc75e2d63100000']);
      const vendor = await registration;
      expect(await vendor.publish('1.0.0', randomBytes(100))).toMatchObject({ state: 'confirmed' });
    });
  });

  test('tells what a proposal waits for', async () => {
    const { stack, relayer } = await secondServer();
    await withStack(stack, async () => {
      const vendor = await makeVendor(stack, { name: 'soon-poor' });
      await createRpc(chain.rpcUrl)('anvil_setBalance', [relayer, '0x0']);
      const publishing = vendor.publish('1.0.0', randomBytes(100));
      const id = await unfinishedProposal(stack);
      await eventually(
        () => vendor.vendor.client.proposal(id),
        ({ reason }) => reason?.code === 'relayer-out-of-gas',
        'the reason',
      );
      await createRpc(chain.rpcUrl)('anvil_setBalance', [relayer, '0x56bc75e2d63100000']);
      const done = await publishing;
      expect(done).toMatchObject({ state: 'confirmed' });
      expect(done.reason).toBeUndefined();
    });
  });

  test('serves on without its RPC node, says that it is not ready, and catches up', async () => {
    const { stack } = await secondServer();
    await withStack(stack, async () => {
      const vendor = await makeVendor(stack, { name: 'patient' });
      await vendor.publish('1.0.0', randomBytes(100));
      await vendor.promote('1.0.0');
      const device = makeDevice(vendor.trustRoot, [stack.url]);
      const verdict = async () => (await device.check()).verdict.outcome;
      await eventually(verdict, (outcome) => outcome === 'update', 'the update');
      wire.cut = true;
      await eventually(
        () => fetch(`${stack.url}/readyz`),
        ({ status }) => status === 503,
        'the server to notice',
      );
      expect((await fetch(`${stack.url}/healthz`)).ok).toBe(true);
      expect(await device.install()).toMatchObject({ outcome: 'installed' });
      device.destroy();
      await expectCode('chain-unreachable', () => vendor.promote('1.0.0'));
      wire.cut = false;
      await eventually(
        () => fetch(`${stack.url}/readyz`),
        ({ ok }) => ok,
        'the server to be ready again',
      );
      expect(await vendor.publish('1.0.1', randomBytes(100))).toMatchObject({ state: 'confirmed' });
    });
  });

  test('serves no proof that does not hold, whatever its RPC node says (A19)', async () => {
    const { stack } = await secondServer();
    await withStack(stack, async () => {
      const vendor = await makeVendor(stack, { name: 'lied-to' });
      await vendor.publish('1.0.0', randomBytes(100));
      wire.lie = ({ method }, result) => {
        if (method !== 'eth_getProof') return result;
        const answer = result as { storageProof: { value: string }[] };
        return { ...answer, storageProof: answer.storageProof.map((proof) => ({ ...proof, value: '0x1' })) };
      };
      await vendor.promote('1.0.0');
      const device = makeDevice(vendor.trustRoot, [stack.url]);
      for (let round = 0; round < 10; round += 1) {
        expect((await device.check()).verdict).toMatchObject({ outcome: 'unproven', code: 'unavailable' });
      }
      wire.lie = (_, result) => result;
      await eventually(
        async () => (await device.check()).verdict,
        ({ outcome }) => outcome === 'update',
        'the update',
      );
      device.destroy();
    });
  });
});

async function unfinishedProposal(stack: Stack): Promise<string> {
  return eventually(
    async () => {
      const database = new DatabaseSync(join(stack.directory, 'firmproof.sqlite'), { readOnly: true });
      try {
        const row = database.prepare("SELECT id FROM proposals WHERE kind = 'publish' AND state != 'confirmed'").get();
        return String(row?.['id'] ?? '');
      } finally {
        database.close();
      }
    },
    (id) => id !== '',
    'the proposal',
  );
}

describe('starting', () => {
  const directories: string[] = [];
  const fresh = () => {
    const directory = temporaryDirectory();
    directories.push(directory);
    return directory;
  };
  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });
  const start = (environment: Record<string, string>) =>
    startServer(
      parseConfig({ FIRMPROOF_DATA: fresh(), FIRMPROOF_PORT: '0', FIRMPROOF_LOG_LEVEL: 'silent', ...environment }),
    );

  test('on a port that is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await expectCode('port-in-use', () => start({ FIRMPROOF_PORT: String(port) }));
    await new Promise((resolve) => other.close(resolve));
  });

  test('on a data directory that another process works on', async () => {
    const directory = fresh();
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'server.pid'), nameOfProcess(process.ppid) ?? '');
    await expectCode('data-directory-in-use', () => start({ FIRMPROOF_DATA: directory }));
  });

  test('on the data directory of a server that died', async () => {
    const directory = fresh();
    writeFileSync(join(directory, 'server.pid'), '4194304\n');
    const server = await start({ FIRMPROOF_DATA: directory });
    await server.stop();
  });

  test('with an RPC node that cannot be reached', async () => {
    const { environment } = await onChainOf(chain, { rpcUrl: 'http://127.0.0.1:1', witnesses });
    await expectCode('chain-unreachable', () => start(environment));
  });

  test('with a registry that is not there', async () => {
    const { environment } = await onChainOf(chain, { rpcUrl: chain.rpcUrl, witnesses });
    await expectCode('chain-unsuitable', () => start({ ...environment, FIRMPROOF_REGISTRY: `0x${'12'.repeat(20)}` }));
  });

  test('with a relayer key that is missing, or is none', async () => {
    const { environment } = await onChainOf(chain, { rpcUrl: chain.rpcUrl, witnesses });
    await expectCode('file-not-found', () => start({ ...environment, FIRMPROOF_RELAYER_KEY_FILE: '/nowhere' }));
    const file = join(fresh(), 'key');
    writeFileSync(file, 'hello');
    await expectCode('config-invalid', () => start({ ...environment, FIRMPROOF_RELAYER_KEY_FILE: file }));
  });

  test('where nothing can be written, or on a damaged database', async () => {
    const directory = fresh();
    writeFileSync(join(directory, 'file'), '');
    await expectCode('config-invalid', () => start({ FIRMPROOF_DATA: join(directory, 'file', 'below') }));
    const damaged = fresh();
    writeFileSync(join(damaged, 'firmproof.sqlite'), 'this is no database, whatever its name says'.repeat(100));
    await expectCode('database-damaged', () => start({ FIRMPROOF_DATA: damaged }));
  });

  test('with a configuration that has three mistakes names all three', () => {
    const mistaken = { FIRMPROOF_PORT: 'http', FIRMPROOF_LOG_LEVEL: 'loud', FIRMPROOF_COLOUR: 'red' };
    try {
      parseConfig(mistaken);
      throw new Error('accepted');
    } catch (error) {
      expect(error).toMatchObject({ code: 'config-invalid' });
      for (const name of Object.keys(mistaken)) expect(String(error)).toContain(name);
    }
  });
});
