import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDevice, type TestDevice } from '../support/device.ts';
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
