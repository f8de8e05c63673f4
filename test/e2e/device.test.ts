import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Agent, confirm, openAgent, type Round, readConfig, run } from '@firmproof/device-agent';
import { sha256 } from '@firmproof/protocol';
import { nameOfProcess } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { LyingServer } from '../support/lying-server.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';

let stack: Stack;
let vendor: TestVendor;
let device: TestDevice;

const first = randomBytes(2_500_000);
const second = randomBytes(1_200_000);

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack);
  device = makeDevice(vendor.trustRoot, [stack.url], { health: { command: ['/bin/true'], deadlineSeconds: 20 } });
});
afterAll(async () => {
  device.destroy();
  await destroyStack(stack);
});

const verdictOf = async (of: TestDevice) => (await of.check()).verdict;

describe('a device', () => {
  test('waits while the channel has no head', async () => {
    expect(await verdictOf(device)).toMatchObject({ outcome: 'unproven', code: 'unavailable' });
  });

  test('installs the first release, and is current then', async () => {
    await vendor.publish('1.0.0', first);
    await vendor.promote('1.0.0');
    await eventually(
      () => verdictOf(device),
      ({ outcome }) => outcome === 'update',
      'the update',
    );
    expect(await device.install()).toEqual({ outcome: 'installed', version: '1.0.0' });
    expect(device.running()).toBe(sha256(first));
    expect(await verdictOf(device)).toMatchObject({ outcome: 'current', code: 'already-installed' });
  });

  test('asks again at no cost while nothing has changed', async () => {
    const liar = await LyingServer.start(stack.url);
    const polling = makeDevice(vendor.trustRoot, [liar.url]);
    const answers: (number | undefined)[] = [];
    liar.onAnswer = (status) => answers.push(status);
    try {
      await polling.check();
      await polling.check();
      expect(answers).toEqual([200, 304]);
    } finally {
      polling.destroy();
      await liar.stop();
    }
  });

  test('updates into the other slot', async () => {
    const before = await device.status();
    await vendor.publish('2.0.0', second, { rollbackIndex: 1 });
    await vendor.promote('2.0.0');
    await eventually(
      () => verdictOf(device),
      ({ outcome }) => outcome === 'update',
      'the update',
    );
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '2.0.0' });
    expect(device.running()).toBe(sha256(second));
    const after = await device.status();
    expect(after.slot).not.toBe(before.slot);
    expect(after.rollbackFloor).toBe(1);
  });

  test('rolls back an image that is not healthy, and does not try it again until it is promoted again', async () => {
    const running = device.running();
    device.configure({ health: { command: ['/bin/false'], deadlineSeconds: 20 } });
    await vendor.publish('3.0.0', randomBytes(300_000));
    await vendor.promote('3.0.0');
    await eventually(
      () => verdictOf(device),
      ({ outcome }) => outcome === 'update',
      'the update',
    );
    expect(await device.install()).toMatchObject({ outcome: 'rolled-back', code: 'health-check-failed' });
    expect(device.running()).toBe(running);
    expect(await verdictOf(device)).toMatchObject({ outcome: 'waiting', code: 'version-failed-here' });
    device.configure({ health: { command: ['/bin/true'], deadlineSeconds: 20 } });
    await vendor.promote('3.0.0');
    await eventually(
      () => verdictOf(device),
      ({ outcome }) => outcome === 'update',
      'another try',
    );
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '3.0.0' });
  });

  test('goes on from the entry before a damaged journal, which it puts aside', async () => {
    const file = join(device.directory, 'data', 'journal.json');
    writeFileSync(file, readFileSync(file).subarray(0, 100));
    const status = await device.status();
    expect(status.installed.version).toBe('3.0.0');
    expect(status.recoveredFrom).toContain('journal.corrupt-1.json');
    expect(await verdictOf(device)).toMatchObject({ outcome: 'current' });
  });
});

describe('a trial that somebody else confirms', () => {
  const external = { health: { deadlineSeconds: 2, confirm: 'external' } };
  const withAgent = async <Result>(of: TestDevice, act: (agent: Agent) => Promise<Result>) => {
    const agent = await openAgent(readConfig(of.configFile));
    try {
      return await act(agent);
    } finally {
      agent.close();
    }
  };

  test('ends with confirm, and only then raises the floor', async () => {
    await vendor.publish('4.0.0', randomBytes(1000), { rollbackIndex: 2 });
    await vendor.promote('4.0.0', 'beta');
    const tried = makeDevice(vendor.trustRoot, [stack.url], { ...external, channel: 'beta' });
    try {
      await eventually(
        () => verdictOf(tried),
        ({ outcome }) => outcome === 'update',
        'the update',
      );
      expect(await tried.install()).toEqual({ outcome: 'on-trial', version: '4.0.0' });
      expect(await tried.status()).toMatchObject({ state: 'trial', target: '4.0.0', rollbackFloor: 0 });
      expect(await withAgent(tried, confirm)).toEqual({ outcome: 'installed', version: '4.0.0' });
      expect(await tried.status()).toMatchObject({ state: 'idle', rollbackFloor: 2 });
      await expectCode('nothing-to-confirm', () => withAgent(tried, confirm));
    } finally {
      tried.destroy();
    }
  });

  test('is rolled back when its deadline passes without one', async () => {
    const tried = makeDevice(vendor.trustRoot, [stack.url], { ...external, channel: 'beta' });
    try {
      await tried.install();
      expect(await verdictOf(tried)).toMatchObject({ outcome: 'waiting', code: 'update-on-trial' });
      await eventually(
        async () => (await tried.status()).why.message,
        (message) => message.includes('was on trial until'),
        'the deadline to have passed',
      );
      await eventually(
        () => tried.install(),
        ({ outcome }) => outcome === 'rolled-back',
        'the deadline',
      );
      expect(tried.running()).toBeNull();
      expect(await verdictOf(tried)).toMatchObject({ code: 'version-failed-here' });
    } finally {
      tried.destroy();
    }
  });
});

describe('run', () => {
  test('installs what is new, says when it will ask again, and stops when it is told', async () => {
    const running = makeDevice(vendor.trustRoot, [stack.url], { channel: 'beta', pollHours: 1 });
    const stopping = new AbortController();
    const rounds: Round[] = [];
    try {
      await run(readConfig(running.configFile), {
        signal: stopping.signal,
        onRound: (round) => {
          rounds.push(round);
          stopping.abort();
        },
      });
      expect(rounds).toMatchObject([{ result: { outcome: 'installed', version: '4.0.0' }, recoveredFrom: null }]);
      expect(rounds[0]?.nextSeconds).toBeGreaterThanOrEqual(1800);
      expect(rounds[0]?.nextSeconds).toBeLessThanOrEqual(5400);
      expect(await verdictOf(running)).toMatchObject({ outcome: 'current' });
    } finally {
      running.destroy();
    }
  });

  test('waits while somebody else is at work on the device', async () => {
    const shared = makeDevice(vendor.trustRoot, [stack.url], { channel: 'beta' });
    const stopping = new AbortController();
    const rounds: Round[] = [];
    const other = await openAgent(readConfig(shared.configFile));
    try {
      const running = run(readConfig(shared.configFile), {
        signal: stopping.signal,
        onRound: (round) => {
          rounds.push(round);
          stopping.abort();
        },
      });
      other.close();
      await running;
      expect(rounds).toMatchObject([{ result: { outcome: 'installed' } }]);
    } finally {
      shared.destroy();
    }
  });

  test('keeps two processes off one data directory', async () => {
    const busy = makeDevice(vendor.trustRoot, [stack.url]);
    const agent = await openAgent(readConfig(busy.configFile));
    try {
      await expectCode('install-in-progress', () => openAgent(readConfig(busy.configFile)));
      agent.close();
      const lock = join(busy.directory, 'data', 'agent.pid');
      writeFileSync(lock, nameOfProcess(process.ppid) ?? '');
      await expectCode('install-in-progress', () => openAgent(readConfig(busy.configFile)));
      // After a reboot another process has the number: that must not keep the agent away for ever.
      writeFileSync(lock, `${process.ppid} another-boot 1`);
      (await openAgent(readConfig(busy.configFile))).close();
    } finally {
      busy.destroy();
    }
  });
});
