// What owners of devices decide, on a real device with a real server: hold, postpone, notify, security apart from features.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { install } from '@firmproof/device-agent';
import { sha256 } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hold, releaseHold } from '../../device-agent/src/policy/choice.ts';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { LyingServer } from '../support/lying-server.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';

let stack: Stack;
let vendor: TestVendor;
let between: LyingServer;
let device: TestDevice;
const images = { '1.0.0': randomBytes(30_000), '2.0.0': randomBytes(40_000), '3.0.0': randomBytes(2_500_000) };

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack);
  between = await LyingServer.start(stack.url);
  device = makeDevice(vendor.trustRoot, [between.url]);
  await publish('1.0.0');
  expect(await device.install()).toMatchObject({ outcome: 'installed', version: '1.0.0' });
});
afterAll(async () => {
  device.destroy();
  await between.stop();
  await destroyStack(stack);
});

async function publish(version: keyof typeof images, purpose?: 'security' | 'feature') {
  await vendor.publish(version, images[version], purpose ? { purpose } : {});
  await vendor.promote(version);
  await eventually(
    async () => (await device.check()).verdict,
    (verdict) => verdict.outcome === 'update' && verdict.release.version === version,
    version,
  );
}
const blocksAsked = () => between.requests.filter((path) => path.startsWith('/ipfs/')).length;
const agent = async (...args: string[]) => {
  const { code, stdout, stderr } = await runCommand(firmproofAgent, [...args, '--config', device.configFile]);
  expect(stderr).toBe('');
  return { code, stdout };
};

describe('a feature update', () => {
  test('waits for a person where the device only tells of it, and nothing is downloaded', async () => {
    await publish('2.0.0');
    device.configure({ updates: { feature: 'notify' } });
    const before = blocksAsked();
    expect(await device.install()).toMatchObject({ outcome: 'waiting', code: 'update-not-automatic' });
    expect(blocksAsked()).toBe(before);
    expect(device.running()).toBe(sha256(images['1.0.0']));
    expect(await device.status()).toMatchObject({ state: 'idle', why: { code: 'update-not-automatic' } });
  });

  test('is downloaded and verified, and not activated, where the device is told to download', async () => {
    device.configure({ updates: { feature: 'download' } });
    const before = blocksAsked();
    expect(await device.install()).toMatchObject({ outcome: 'waiting', code: 'update-not-automatic' });
    const downloaded = blocksAsked();
    expect(downloaded).toBeGreaterThan(before);
    expect(device.running()).toBe(sha256(images['1.0.0']));
    // A person comes: what is here is not downloaded again, and no postponement is left of it.
    await agent('postpone', '1h');
    const { code, stdout } = await agent('install', '--now', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'installed', version: '2.0.0' });
    expect(code).toBe(0);
    expect(blocksAsked()).toBe(downloaded);
    expect((await device.status()).postponedUntil).toBeNull();
  });
});

describe('a security update', () => {
  test('is held by a hold of everything that comes while it is downloaded', async () => {
    await publish('3.0.0', 'security');
    let held: Promise<void> | null = null;
    await device.act((one) =>
      between.lying(
        {
          answer(request) {
            // Somebody runs `firmproof-agent hold` at this moment.
            if (request.url?.startsWith('/ipfs/')) held ??= hold(one, { untilSeconds: null, updates: 'all' });
            return false;
          },
        },
        async () => {
          expect(await install(one)).toMatchObject({ outcome: 'waiting', code: 'update-held' });
        },
      ),
    );
    expect(held).not.toBeNull();
    expect(device.running()).toBe(sha256(images['2.0.0']));
    const { stdout } = await agent('status');
    expect(stdout).toMatch(/^why +waiting: 3\.0\.0 is held until `firmproof-agent hold --release` \[update-held\]$/m);
    expect(stdout).toMatch(/^held +all updates since /m);
    await device.act(releaseHold);
  });

  test('goes on by itself where only features are held, postponed or left to people', async () => {
    device.configure({ updates: { feature: 'notify' } });
    expect((await agent('hold', '--feature')).stdout).toBe(
      'feature updates are held until `firmproof-agent hold --release`\n',
    );
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '3.0.0' });
    expect(await device.status()).toMatchObject({ why: { outcome: 'current', code: 'already-installed' } });
  });
});

const contentsOf = (directory: string) =>
  readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'base64')]);

describe('the commands', () => {
  test('postpone for as long as the device lets people, and no longer', async () => {
    device.configure({ maximumPostponeHours: 24 });
    expect((await agent('postpone', '12h')).stdout).toMatch(/^updates are postponed until 20/);
    const { postponed } = JSON.parse((await agent('postpone', '12h', '--json')).stdout);
    expect(Number.isInteger(postponed.untilSeconds)).toBe(true);
    const bare = await runCommand(firmproofAgent, ['postpone', '--config', device.configFile]);
    expect(bare).toMatchObject({ code: 2, stderr: expect.stringMatching(/^usage-invalid: say for how long: /) });
    const tooLong = await runCommand(firmproofAgent, ['postpone', '3d', '--config', device.configFile]);
    expect(tooLong).toMatchObject({ code: 2, stdout: '' });
    expect(tooLong.stderr).toMatch(/^postpone-too-long: /);
    expect((await agent('hold', '--release')).stdout).toBe('updates go on: nothing is held or postponed\n');
    expect(await device.status()).toMatchObject({ hold: null, postponedUntil: null });
  });

  test('doctor finds this device in order, and it writes as little as status', async () => {
    // What a server answered is stored by a check, and by nothing that only looks.
    rmSync(join(device.directory, 'data', 'evidence.json'), { force: true });
    const before = contentsOf(join(device.directory, 'data'));
    await agent('status');
    const { code, stdout } = await agent('doctor');
    expect(contentsOf(join(device.directory, 'data'))).toEqual(before);
    expect(stdout).toMatch(/^ok {3}source {4}http/m);
    expect(stdout).not.toMatch(/^fail/m);
    expect(code).toBe(0);
  });

  test('run writes lines that journald understands', async () => {
    // It has installed everything: one round, and then it waits. SIGTERM ends it.
    const { stdout } = await runCommand(
      firmproofAgent,
      ['run', '--config', device.configFile],
      { JOURNAL_STREAM: '8:1' },
      { endAtFirstLine: true },
    );
    const [, priority, json = ''] = /^<(\d)>(\{.*\})\n$/.exec(stdout) ?? [];
    expect(priority).toBe('6');
    expect(JSON.parse(json)).toMatchObject({
      priority: 6,
      event: 'round',
      outcome: 'current',
      code: 'already-installed',
    });
  });
});

test('polling, checking and downloading never say who asks', async () => {
  const asked: string[] = [];
  const fresh = makeDevice(vendor.trustRoot, [between.url], { receipts: false });
  try {
    await between.lying(
      {
        answer(request) {
          asked.push(JSON.stringify([request.method, request.url, request.rawHeaders]));
          return false;
        },
      },
      async () => {
        expect(await fresh.install()).toMatchObject({ outcome: 'installed' });
        expect(await fresh.check()).toMatchObject({ verdict: { outcome: 'current' } });
      },
    );
    const { device: id, publicKey, keyDigest } = await fresh.status();
    const { rolloutSecret } = JSON.parse(readFileSync(join(fresh.directory, 'data', 'identity.json'), 'utf8'));
    expect(asked.length).toBeGreaterThan(3);
    for (const request of asked) {
      expect(request).toMatch(/^\["GET",/);
      for (const name of [id, publicKey, keyDigest, rolloutSecret]) expect(request).not.toContain(name);
      expect(request).not.toMatch(/cookie|authorization|signature|user-agent/i);
    }
  } finally {
    fresh.destroy();
  }
});
