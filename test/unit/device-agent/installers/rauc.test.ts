import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installerSchema } from '../../../../device-agent/src/installers/config.ts';
import { createInstaller } from '../../../../device-agent/src/installers/create-installer.ts';
import type { Installer } from '../../../../device-agent/src/installers/installer.ts';
import { expectCode } from '../../../support/expect-code.ts';
import { RaucDevice } from '../../../support/rauc.ts';
import { temporaryDirectory } from '../../../support/stack.ts';
import { lacks } from '../../../support/tools.ts';

const lacking = lacks(['rauc', 'dbus-daemon', 'mksquashfs', 'openssl', 'losetup'], { root: true });
const image = randomBytes(300_000);

describe.skipIf(lacking)(`the real rauc${lacking ? ` (skipped: ${lacking})` : ''}`, () => {
  let device: RaucDevice;
  let installer: Installer;
  let bundle: Buffer;

  beforeAll(async () => {
    device = new RaucDevice(temporaryDirectory());
    bundle = device.bundle('2.0.0', image);
    const { configFile, environment } = device;
    const directory = join(device.directory, 'staging');
    const config = installerSchema.parse({ kind: 'rauc', directory, configFile, environment });
    if (config.kind === 'files') throw new Error('another installer');
    installer = createInstaller(config);
    await device.start('A');
  });
  afterAll(async () => {
    await device.stop();
    rmSync(device.directory, { recursive: true, force: true });
  });

  const identityOf = (bytes: Buffer) => ({ digest: sha256(bytes), sizeBytes: bytes.length });
  const stage = async (bytes: Buffer) => {
    const target = await installer.open('b', bytes.length);
    await target.write(bytes, 0);
    await target.sync();
    await target.close();
  };

  test('says which slot runs', async () => {
    expect(await installer.running()).toBe('a');
    expect(await installer.idle()).toBe('b');
  });

  test('is not handed a bundle that was swapped after it was verified', async () => {
    await stage(bundle);
    writeFileSync(join(device.directory, 'staging', 'b.image'), randomBytes(bundle.length));
    await expectCode('handover-mismatch', () => installer.activate('b', identityOf(bundle)));
    expect(readFileSync(device.slot('b')).every((byte) => byte === 0)).toBe(true);
  });

  test('refuses a bundle that its own keys have not signed; what runs is untouched', async () => {
    const forged = Buffer.from(bundle);
    forged[100_000] = (forged[100_000] ?? 0) ^ 1;
    await stage(forged);
    await expect(installer.activate('b', identityOf(forged))).rejects.toMatchObject({
      code: 'installer-failed',
      message: expect.stringContaining('signature verification failed'),
    });
    expect(device.boot('primary')).toBe('');
    expect(readFileSync(device.slot('a')).every((byte) => byte === 0)).toBe(true);
  });

  test('installs a bundle, unchanged, into the slot that does not run', async () => {
    await stage(bundle);
    expect(await installer.readBack('b', bundle.length)).toEqual(identityOf(bundle));
    expect(await installer.activate('b', identityOf(bundle))).toBe('reboot-needed');
    expect(readFileSync(device.slot('b')).subarray(0, image.length).equals(image)).toBe(true);
    expect(device.boot('primary')).toBe('B');
    expect(await installer.running()).toBe('a');
  });

  test('goes back while the slot before still runs', async () => {
    expect(await installer.rollBack('a')).toBe('running');
    expect(device.boot('primary')).toBe('A');
    expect(device.boot('state-B')).toBe('bad');
  });

  test('confirms the slot that was booted, and the staged bundle makes room', async () => {
    await stage(bundle);
    await installer.activate('b', identityOf(bundle));
    await device.stop();
    await device.start('B');
    expect(await installer.running()).toBe('b');
    // After a power cut in the middle of it: not handed over again, since RAUC would now write over slot a.
    expect(await installer.activate('b', identityOf(bundle))).toBe('running');
    expect(readFileSync(device.slot('a')).every((byte) => byte === 0)).toBe(true);
    await installer.confirm('b');
    expect(device.boot('state-B')).toBe('good');
    expect(existsSync(join(device.directory, 'staging', 'b.image'))).toBe(false);
  });

  test('goes back from the slot that was booted, at the next boot', async () => {
    expect(await installer.rollBack('a')).toBe('reboot-needed');
    expect(device.boot('primary')).toBe('A');
    expect(device.boot('state-B')).toBe('bad');
  });
});

test('without the service nothing is guessed', async () => {
  const directory = temporaryDirectory();
  try {
    const environment = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${directory}/no-bus` };
    const config = installerSchema.parse({ kind: 'rauc', directory, environment });
    if (config.kind === 'files') throw new Error('another installer');
    await expectCode('boot-environment-failed', () => createInstaller(config).running());
  } finally {
    rmSync(directory, { recursive: true });
  }
});
