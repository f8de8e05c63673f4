import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Administration,
  FirmproofClient,
  readServerLog,
  type Vendor,
  WalletApprover,
  walletKey,
} from '@firmproof/client';
import { type Proposal, parseVersion, sha256 } from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { afterEach, describe, expect, test } from 'vitest';
import { auditSummary } from '../support/audit.ts';
import { makeDevice } from '../support/device.ts';
import { freePort } from '../support/free-port.ts';
import {
  destroyStack,
  eventually,
  makeVendor,
  startStack,
  type TestVendor,
  temporaryDirectory,
} from '../support/stack.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

type ServerProcess = { readonly child: ChildProcess; readonly url: string };
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The server as `npm start` runs it, in a process that can be killed. */
async function spawnServer(directory: string, port: number): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['server/src/main.ts'], {
    env: { ...process.env, FIRMPROOF_DATA: directory, FIRMPROOF_PORT: String(port), FIRMPROOF_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  cleanups.push(() => kill(child, 'SIGTERM'));
  await eventually(
    () => fetch(`${url}/readyz`),
    (response) => response.ok,
    'the server to be ready',
  );
  return { child, url };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** A server in a process of its own, with a vendor; survives being killed as a service does: it is started again. */
async function service() {
  const directory = temporaryDirectory();
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  const port = await freePort();
  let server = await spawnServer(directory, port);
  const info = await new FirmproofClient({ server: server.url }).info();
  const vendor = await makeVendor({ url: server.url, info });
  return {
    directory,
    vendor,
    get child() {
      return server.child;
    },
    url: server.url,
    async restart() {
      server = await spawnServer(directory, port);
    },
  };
}

async function prepared({ vendor, product, buildKey }: TestVendor, directory: string, version: string, image: Buffer) {
  const file = join(directory, `${version}.bin`);
  writeFileSync(file, image);
  return { file, release: await vendor.prepare(file, { product, version: parseVersion(version) }, buildKey) };
}

const settled = (vendor: Vendor, id: string) =>
  eventually(
    () => vendor.client.proposal(id),
    ({ state }) => ['confirmed', 'rejected', 'expired'].includes(state),
    'the proposal to settle',
  );

describe('the server', () => {
  test('has everything after a restart: images, attestations, evidence', async () => {
    const directory = temporaryDirectory();
    cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
    const image = randomBytes(2_300_000);
    const first = await startStack(directory);
    const vendor = await makeVendor(first);
    await vendor.publish('1.0.0', image);
    await vendor.promote('1.0.0');
    const blocks = readdirSync(join(directory, 'blocks'), { recursive: true }).length;
    await first.stop();
    const second = await startStack(directory);
    cleanups.push(() => destroyStack(second));
    expect(readdirSync(join(directory, 'blocks'), { recursive: true })).toHaveLength(blocks);
    const device = makeDevice(vendor.trustRoot, [second.url]);
    cleanups.push(() => device.destroy());
    await eventually(
      async () => (await device.check()).verdict,
      ({ outcome }) => outcome === 'update',
      'the update',
    );
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '1.0.0' });
    expect(device.running()).toBe(sha256(image));
  });

  test.each(['its chain has started', 'it is ready'])(
    'stopped once %s, ends in order and leaves no chain behind',
    async (moment) => {
      const directory = temporaryDirectory();
      cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
      const port = await freePort();
      const child = spawn(process.execPath, ['server/src/main.ts'], {
        env: { ...process.env, FIRMPROOF_DATA: directory, FIRMPROOF_PORT: String(port), FIRMPROOF_LOG_LEVEL: 'silent' },
        stdio: 'ignore',
      });
      const ended = once(child, 'exit');
      const isTime = async () =>
        moment === 'it is ready'
          ? (await fetch(`http://127.0.0.1:${port}/readyz`)).ok
          : existsSync(join(directory, 'chain', 'anvil.pid'));
      await eventually(isTime, (time) => time, moment);
      child.kill('SIGINT');
      expect(await ended).toEqual([0, null]);
      expect(chainsOf(directory)).toBe(0);
    },
  );

  test('removes blocks at its start that no image needs, and no others', async () => {
    const directory = temporaryDirectory();
    cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
    const first = await startStack(directory);
    const vendor = await makeVendor(first);
    await vendor.publish('1.0.0', randomBytes(1_200_000));
    await first.stop();
    const files = () =>
      readdirSync(join(directory, 'blocks'), { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      );
    const before = files();
    // What an import before a crash has left: a block like any other, which nothing refers to.
    const leftOver = (before[0]?.name ?? '').replace(/.{6}\.data$/, 'AAAAAA.data');
    mkdirSync(join(directory, 'blocks', 'AA'), { recursive: true });
    writeFileSync(join(directory, 'blocks', 'AA', leftOver), 'left over');
    expect(files()).toHaveLength(before.length + 1);
    const second = await startStack(directory);
    cleanups.push(() => second.stop());
    expect(
      files()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(before.map(({ name }) => name).sort());
  });

  test.each(['stored', 'approving', 'submitted'])(
    'killed with -9 once a proposal is %s, finishes it after the restart',
    async (state) => {
      const running = await service();
      const { vendor } = running.vendor;
      const { file, release } = await prepared(running.vendor, running.directory, '1.0.0', randomBytes(400_000));
      const proposal = await vendor.upload(file, release);
      await waitForState(vendor, proposal, state).catch(() => undefined);
      await kill(running.child);
      await running.restart();
      expect(chainsOf(running.directory)).toBe(1);
      const end = await settled(vendor, proposal.id);
      expect(end.reason?.message).toBeUndefined();
      expect(end).toMatchObject({ state: 'confirmed', version: '1.0.0' });
      await running.vendor.promote('1.0.0');
      const device = makeDevice(running.vendor.trustRoot, [running.url]);
      cleanups.push(() => device.destroy());
      await eventually(
        async () => (await device.check()).verdict,
        ({ outcome }) => outcome === 'update',
        'the update',
      );
      expect(await device.install()).toMatchObject({ outcome: 'installed' });
    },
  );

  test('killed with -9 in the middle of an upload keeps nothing of it, and takes the same upload again', async () => {
    const running = await service();
    const { vendor } = running.vendor;
    const { file, release } = await prepared(running.vendor, running.directory, '1.0.0', randomBytes(24_000_000));
    const cut = vendor.upload(file, release, (sent) => {
      if (sent > 8_000_000) running.child.kill('SIGKILL');
    });
    await expect(cut).rejects.toMatchObject({ code: 'server-unreachable' });
    await running.restart();
    const files = readdirSync(join(running.directory, 'blocks'), { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile())).toHaveLength(0);
    const again = await vendor.upload(file, release);
    expect(await settled(vendor, again.id)).toMatchObject({ state: 'confirmed' });
  });

  test('relays again what a reorganisation has taken back', async () => {
    const stack = await startStack();
    cleanups.push(() => destroyStack(stack));
    const vendor = await makeVendor(stack);
    const receiver = new WebhookReceiver();
    await receiver.start();
    cleanups.push(() => receiver.stop());
    const admin = await administrationOf(vendor, stack.url);
    const { secret } = await admin.addWebhook({
      url: receiver.url,
      events: ['release.published', 'chain.reorganised'],
    });
    receiver.secrets = [secret];
    await vendor.publish('1.0.0', randomBytes(1000));
    const { sequence } = await vendor.vendor.client.product(vendor.product);
    const rpc = createRpc(stack.rpcUrl);
    const latest = Number(await rpc<string>('eth_blockNumber'));
    await rpc('anvil_reorg', [Math.min(8, latest - 2), []]);
    await rpc('anvil_mine', ['0x3']);
    const audited = () =>
      auditSummary({ rpcUrls: [stack.rpcUrl], registry: stack.info.registry, product: vendor.product });
    await eventually(audited, (report) => report.sequence === sequence, 'the chain to have the release again');
    await eventually(
      () => vendor.vendor.client.release(vendor.product, parseVersion('1.0.0')),
      ({ status }) => status === 'active',
      'the server to have seen it',
    );
    await vendor.promote('1.0.0');
    // What was told is taken back, and what is on the chain now is told.
    await eventually(
      async () => receiver.received.length,
      (count) => count >= 3,
      'three webhooks',
    );
    const [first, ...others] = receiver.received;
    expect(receiver.types.toSorted()).toEqual(['chain.reorganised', 'release.published', 'release.published']);
    const withdrawn = others.find(({ body }) => body.type === 'chain.reorganised')?.body.data['withdrawn'];
    expect(withdrawn).toEqual([{ id: first?.id, type: 'release.published' }]);
  });
});

/** The vendor, logged in to administer. */
async function administrationOf({ vendor, wallet }: TestVendor, url: string): Promise<Administration> {
  const login = await new WalletApprover(walletKey(wallet)).login(url, vendor.info.chainId);
  const { token } = await vendor.client.login({ ...login, scopes: ['admin'] });
  return new Administration(vendor.client.withToken(token), vendor.account);
}

/** How many chains work on the state of this directory: one that a killed server has left would spoil it. */
function chainsOf(directory: string): number {
  const state = join(directory, 'chain', 'state.json');
  const commandLineOf = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLineOf(pid).includes(state)).length;
}

async function waitForState(vendor: Vendor, proposal: Proposal, state: string): Promise<void> {
  await vendor.client.follow(proposal.id, (now) => {
    if (now.state === state) throw new Error('reached');
  });
}

describe('a server that is killed while it tells of something', () => {
  test('tells it again, under the same id, and its log goes on where it was', async () => {
    const running = await service();
    const admin = await administrationOf(running.vendor, running.url);
    const receiver = new WebhookReceiver();
    await receiver.start();
    cleanups.push(() => receiver.stop());
    const hook = await admin.addWebhook({ url: receiver.url, events: ['release.published'] });
    receiver.secrets = [hook.secret];
    // It has the message, and has not answered yet.
    receiver.behaviour = () => undefined;
    await running.vendor.publish('1.0.0', randomBytes(1000));
    await eventually(
      async () => receiver.received.length,
      (count) => count === 1,
      'the webhook',
    );
    const before = await readServerLog(admin, { known: [], whole: true, newest: 100 });
    await kill(running.child);
    receiver.accept();
    await running.restart();
    await eventually(
      () => admin.deliveries(hook.id, 10),
      ([delivery]) => delivery?.state === 'delivered',
      'the delivery',
    );
    expect(receiver.received.map(({ id }) => id)).toEqual(Array(2).fill(receiver.received[0]?.id));
    const known = before.head ? [before.head] : [];
    const { newest } = await readServerLog(admin, { known, whole: true, newest: 100 });
    expect(newest.filter(({ action }) => action === 'server-started')).toHaveLength(2);
  });
});
