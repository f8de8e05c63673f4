// Devices that say what they have installed, to a real server: enrolled, and each by itself.
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { parseVersion, sha256 } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrol } from '../../device-agent/src/identity/enrolment.ts';
import { recordOutcome } from '../../device-agent/src/receipts/outcomes.ts';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';

let stack: Stack;
let vendor: TestVendor;
let device: TestDevice;
const images = { '1.0.0': randomBytes(30_000), '2.0.0': randomBytes(40_000) };

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack);
  device = makeDevice(vendor.trustRoot, [stack.url], { identity: { algorithm: 'ecdsa-p256-sha256' } });
  await publish('1.0.0');
});
afterAll(async () => {
  device.destroy();
  await destroyStack(stack);
});

async function publish(version: keyof typeof images) {
  await vendor.publish(version, images[version]);
  await vendor.promote(version);
  await eventually(
    async () => (await device.check()).verdict,
    (verdict) => verdict.outcome === 'update' && verdict.release.version === version,
    version,
  );
}
const known = async (of = device) => vendor.vendor.client.device(vendor.product, (await of.status()).keyDigest ?? '');
const receipts = async (of = device) => (await of.status()).receipts;

describe('a device that nobody has enrolled', () => {
  test('is updated like any other, and its receipts wait', async () => {
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '1.0.0' });
    expect(await device.report()).toBeNull();
    expect(await receipts()).toMatchObject({
      waiting: 1,
      problems: [`${stack.url}/ answers 403 (device-not-enrolled)`],
    });
    await expectCode('device-not-found', () => known());
  });

  test('asks to be enrolled, and its receipts are taken once somebody has accepted it', async () => {
    const asked = await runCommand(firmproofAgent, ['identity', 'enrol', '--config', device.configFile]);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(asked.stdout).toBe(`pending: ${stack.url}/ (somebody has to accept this device)\n`);
    expect(await known()).toMatchObject({ state: 'pending', running: null });
    const { device: id, keyDigest } = await device.status();
    await vendor.vendor.client.acceptDevice(vendor.product, keyDigest ?? '');
    // Its next try comes within minutes.
    device.sleep(0.25);
    await device.report();
    expect(await receipts()).toMatchObject({ waiting: 0, problems: [], lastSent: expect.any(String) });
    expect((await device.status()).enrolments).toEqual({ [`${stack.url}/`]: 'enrolled' });
    expect(await known()).toMatchObject({
      device: id,
      state: 'enrolled',
      running: { version: '1.0.0', image: sha256(images['1.0.0']) },
      outcome: { result: 'confirmed', version: '1.0.0' },
      flags: [],
    });
    expect((await known()).seen?.sequence).toBeGreaterThan(0);
  });

  test('says that an image was not healthy, and why', async () => {
    device.configure({ health: { command: ['/bin/false'], deadlineSeconds: 20 } });
    await publish('2.0.0');
    expect(await device.install()).toMatchObject({ outcome: 'rolled-back', code: 'health-check-failed' });
    await device.report();
    expect(await known()).toMatchObject({
      running: { version: '1.0.0' },
      outcome: { result: 'rolled-back', version: '2.0.0', code: 'health-check-failed' },
    });
  });
});

describe('a claim token', () => {
  test('enrols one device at once', async () => {
    const owned = makeDevice(vendor.trustRoot, [stack.url]);
    try {
      const { token } = await vendor.vendor.client.mintClaimToken(vendor.product, {
        devices: 1,
        lifetimeSeconds: 3600,
      });
      const enrolments = await owned.act((agent) => enrol(agent, token));
      expect(Object.values(enrolments)).toMatchObject([{ state: 'enrolled' }]);
      expect((await owned.status()).enrolments).toEqual({ [`${stack.url}/`]: 'enrolled' });
      expect(await known(owned)).toMatchObject({ state: 'enrolled', enrolledBy: 'claim-token', running: null });
      // It speaks with the first check, however up to date it is.
      await owned.check();
      await owned.report();
      expect(await known(owned)).toMatchObject({ running: { version: '0.0.1' } });
    } finally {
      owned.destroy();
    }
  });

  test('that the server does not know enrols nobody', async () => {
    const stranger = makeDevice(vendor.trustRoot, [stack.url]);
    try {
      await expectCode('enrolment-refused', () => stranger.act((agent) => enrol(agent, 'no-such-token')));
      expect((await stranger.status()).enrolments).toEqual({});
    } finally {
      stranger.destroy();
    }
  });
});

test('a copy of the data partition shows by its counters, where the copy cannot tell itself', async () => {
  const copy = makeDevice(vendor.trustRoot, [stack.url], {
    identity: { algorithm: 'ecdsa-p256-sha256', machineIdFile: 'none' },
  });
  try {
    cpSync(join(device.directory, 'data'), join(copy.directory, 'data'), { recursive: true });
    expect((await copy.status()).keyDigest).toBe((await device.status()).keyDigest);
    // Both go on from the same counter, each with something else to tell.
    const target = { version: parseVersion('2.0.0'), image: sha256(images['2.0.0']), headCounter: 99 };
    for (const [one, code] of [
      [device, 'block-digest-mismatch'],
      [copy, 'image-size-mismatch'],
    ] as const) {
      await one.act((agent) => agent.journal.write({ outcomes: recordOutcome(agent, target, 'failed', code) }));
      await one.report();
    }
    expect((await receipts(copy)).problems).toEqual([`${stack.url}/ answers 409 (clone-suspected)`]);
    expect((await known()).flags).toMatchObject([{ code: 'clone-suspected' }]);
  } finally {
    copy.destroy();
  }
});
