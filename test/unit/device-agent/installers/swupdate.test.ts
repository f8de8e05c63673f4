import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@firmproof/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installerSchema } from '../../../../device-agent/src/installers/config.ts';
import { createInstaller } from '../../../../device-agent/src/installers/create-installer.ts';
import type { Installer } from '../../../../device-agent/src/installers/installer.ts';
import { BootLoader } from '../../../support/boot-loader.ts';
import { expectCode } from '../../../support/expect-code.ts';
import { makeKey } from '../../../support/rauc.ts';
import { temporaryDirectory } from '../../../support/stack.ts';
import { swupdateArchive } from '../../../support/swupdate.ts';
import { lacks } from '../../../support/tools.ts';

const lacking = lacks(['swupdate', 'openssl', 'cpio']);
const image = randomBytes(300_000);

describe.skipIf(lacking)(`the real swupdate${lacking ? ` (skipped: ${lacking})` : ''}`, () => {
  let directory: string;
  let loader: BootLoader;
  let slots: { a: string; b: string };
  let archive: Buffer;
  let installer: Installer;

  beforeEach(() => {
    directory = temporaryDirectory();
    loader = new BootLoader(directory);
    slots = { a: join(directory, 'a.slot'), b: join(directory, 'b.slot') };
    for (const file of Object.values(slots)) writeFileSync(file, Buffer.alloc(1024 * 1024));
    makeKey(directory);
    archive = swupdateArchive(directory, image, slots);
    const { running, bootEnvironment } = loader;
    const config = installerSchema.parse({
      kind: 'swupdate',
      directory: join(directory, 'staging'),
      arguments: ['-k', join(directory, 'cert.pem'), '-e', 'stable,{slot}', '-H', 'test-board:1.0'],
      running,
      bootEnvironment,
      environment: { TMPDIR: directory },
    });
    if (config.kind === 'files') throw new Error('another installer');
    installer = createInstaller(config);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const identityOf = (bytes: Buffer) => ({ digest: sha256(bytes), sizeBytes: bytes.length });
  const stage = async (bytes: Buffer) => {
    const target = await installer.open('b', bytes.length);
    await target.write(bytes, 0);
    await target.sync();
    await target.close();
  };
  const isEmpty = (slot: string) => readFileSync(slot).every((byte) => byte === 0);

  test('installs an archive, unchanged, into the slot that does not run', async () => {
    await stage(archive);
    expect(await installer.activate('b', identityOf(archive))).toBe('reboot-needed');
    expect(readFileSync(slots.b).subarray(0, image.length).equals(image)).toBe(true);
    expect(isEmpty(slots.a)).toBe(true);
    expect(loader.boot()).toBe('b');
    await installer.confirm('b');
    expect(loader.boot()).toBe('b');
    expect(existsSync(join(directory, 'staging', 'b.image'))).toBe(false);
  });

  test('refuses an archive that its own keys have not signed; what runs goes on', async () => {
    const forged = Buffer.from(archive);
    forged[300] = (forged[300] ?? 0) ^ 1;
    await stage(forged);
    await expectCode('installer-failed', () => installer.activate('b', identityOf(forged)));
    expect([isEmpty(slots.a), isEmpty(slots.b)]).toEqual([true, true]);
    expect(loader.boot()).toBe('a');
  });

  test('is not handed an archive that was swapped after it was verified', async () => {
    await stage(archive);
    writeFileSync(join(directory, 'staging', 'b.image'), randomBytes(archive.length));
    await expectCode('handover-mismatch', () => installer.activate('b', identityOf(archive)));
    expect(isEmpty(slots.b)).toBe(true);
    expect(loader.boot()).toBe('a');
  });
});
