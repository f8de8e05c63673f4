import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@firmproof/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installerSchema } from '../../../../device-agent/src/installers/config.ts';
import { createInstaller } from '../../../../device-agent/src/installers/create-installer.ts';
import type { Installer } from '../../../../device-agent/src/installers/installer.ts';
import { BootLoader } from '../../../support/boot-loader.ts';
import { expectCode } from '../../../support/expect-code.ts';
import { temporaryDirectory } from '../../../support/stack.ts';
import { lacks, loopDevice, tool } from '../../../support/tools.ts';

const slotBytes = 4 * 1024 * 1024;
const image = randomBytes(1_234_567);
const identity = { digest: sha256(image), sizeBytes: image.length };

let directory: string;
let loader: BootLoader;
let slots: { a: string; b: string };
beforeEach(() => {
  directory = temporaryDirectory();
  loader = new BootLoader(directory);
  slots = { a: join(directory, 'a.slot'), b: join(directory, 'b.slot') };
  for (const file of Object.values(slots)) writeFileSync(file, Buffer.alloc(slotBytes, 'x'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const installerOn = (devices: { a: string; b: string }): Installer => {
  const { running, bootEnvironment } = loader;
  const config = installerSchema.parse({ kind: 'block-devices', slots: devices, running, bootEnvironment });
  if (config.kind === 'files') throw new Error('another installer');
  return createInstaller(config);
};

async function write(installer: Installer, bytes = image): Promise<void> {
  const target = await installer.open(await installer.idle(), bytes.length);
  try {
    await target.write(bytes.subarray(0, 1_000_000), 0);
    await target.write(bytes.subarray(1_000_000), 1_000_000);
    await target.sync();
  } finally {
    await target.close();
  }
}

describe('two partitions', () => {
  test('take an image into the one that does not run; what is read back is the image alone', async () => {
    const installer = installerOn(slots);
    expect(await installer.idle()).toBe('b');
    await write(installer);
    expect(await installer.readBack('b', image.length)).toEqual(identity);
    const slot = readFileSync(slots.b);
    expect(slot.length).toBe(slotBytes);
    expect(slot.subarray(0, image.length).equals(image)).toBe(true);
    expect(slot.subarray(image.length).every((byte) => byte === 'x'.charCodeAt(0))).toBe(true);
    expect(readFileSync(slots.a).every((byte) => byte === 'x'.charCodeAt(0))).toBe(true);
  });

  test('run the new one after a reboot, and keep it once it is confirmed', async () => {
    const installer = installerOn(slots);
    await write(installer);
    expect(await installer.activate('b', identity)).toBe('reboot-needed');
    expect(await installer.running()).toBe('a');
    expect(loader.boot()).toBe('b');
    expect(await installer.running()).toBe('b');
    expect(loader.variable('firmproof_tries')).toBe('2');
    await installer.confirm('b');
    expect(loader.variable('firmproof_tries')).toBe('');
    expect([loader.boot(), loader.boot(), loader.boot(), loader.boot()]).toEqual(['b', 'b', 'b', 'b']);
    expect(await installer.idle()).toBe('a');
  });

  test('run the one before when nobody confirms the new one: the boot counter runs out', async () => {
    const installer = installerOn(slots);
    await write(installer);
    await installer.activate('b', identity);
    expect([loader.boot(), loader.boot(), loader.boot(), loader.boot(), loader.boot()]).toEqual([
      'b',
      'b',
      'b',
      'a',
      'a',
    ]);
    expect(await installer.running()).toBe('a');
  });

  test('go back at the next boot when the new one is rolled back', async () => {
    const installer = installerOn(slots);
    await write(installer);
    await installer.activate('b', identity);
    loader.boot();
    expect(await installer.rollBack('a')).toBe('reboot-needed');
    expect(loader.boot()).toBe('a');
    expect(await installer.rollBack('a')).toBe('running');
    expect(loader.variable('firmproof_tries')).toBe('');
  });

  test('that were booted into the new one already are not given all their tries again', async () => {
    const installer = installerOn(slots);
    await write(installer);
    await installer.activate('b', identity);
    loader.boot();
    expect(await installer.activate('b', identity)).toBe('running');
    expect(loader.variable('firmproof_tries')).toBe('2');
  });

  test('are not touched while it is not known which one runs', async () => {
    const installer = installerOn(slots);
    writeFileSync(join(directory, 'booted'), '');
    await expectCode('running-slot-unknown', () => installer.idle());
    await expectCode('running-slot-unknown', () => installer.activate('b', identity));
  });

  test('refuse an image that is larger than they are, before a byte is written', async () => {
    const installer = installerOn(slots);
    await expectCode('slot-too-small', () => installer.open('b', slotBytes + 1));
    await (await installer.open('b', slotBytes)).close();
  });

  test('that are missing are said', async () => {
    const installer = installerOn({ ...slots, b: join(directory, 'absent') });
    await expectCode('slot-unusable', () => installer.open('b', 1));
    await expectCode('slot-unusable', () => installer.readBack('b', 1));
  });

  test('hold only a part of an image after a power cut: the read back says so', async () => {
    const installer = installerOn(slots);
    await write(installer, image.subarray(0, 1_100_000));
    expect((await installer.readBack('b', image.length)).digest).not.toBe(identity.digest);
  });
});

describe('loop devices', () => {
  const withLoops = async (skip: (why: string) => void, act: (devices: { a: string; b: string }) => Promise<void>) => {
    const lacking = lacks(['losetup', 'mkfs.ext4'], { root: true });
    if (lacking) return skip(lacking);
    const [a, b] = [loopDevice(slots.a), loopDevice(slots.b)];
    try {
      if (!a || !b) return skip('the kernel gives no loop devices here; the tests above do the same on plain files');
      await act({ a: a.path, b: b.path });
    } finally {
      a?.detach();
      b?.detach();
    }
  };

  test('take an image, and give it back past the page cache', async ({ skip }) => {
    await withLoops(skip, async (devices) => {
      const installer = installerOn(devices);
      await write(installer);
      expect(await installer.readBack('b', image.length)).toEqual(identity);
      expect(readFileSync(slots.b).subarray(0, image.length).equals(image)).toBe(true);
      await expectCode('slot-too-small', () => installer.open('b', slotBytes + 1));
    });
  });

  test('are found to hold other bytes when the storage behind them changes, whatever the page cache says', async ({
    skip,
  }) => {
    await withLoops(skip, async (devices) => {
      const installer = installerOn(devices);
      // While somebody has it open, the kernel keeps what it has cached of a device.
      const open = openSync(devices.b, 'r');
      try {
        await write(installer);
        const worn = readFileSync(slots.b);
        worn[1_000_000] = (worn[1_000_000] ?? 0) ^ 1;
        writeFileSync(slots.b, worn);
        const cached = Buffer.alloc(image.length);
        readSync(open, cached, 0, cached.length, 0);
        expect(sha256(cached)).toBe(identity.digest);
        expect((await installer.readBack('b', image.length)).digest).not.toBe(identity.digest);
      } finally {
        closeSync(open);
      }
    });
  });

  test('that are mounted are never written', async ({ skip }) => {
    await withLoops(skip, async (devices) => {
      tool('mkfs.ext4', '-q', devices.b);
      const mountPoint = temporaryDirectory();
      try {
        tool('mount', '-o', 'ro', devices.b, mountPoint);
      } catch {
        return skip('mounting is not allowed here');
      }
      try {
        await expectCode('slot-unusable', () => installerOn(devices).open('b', image.length));
      } finally {
        tool('umount', mountPoint);
        rmSync(mountPoint, { recursive: true });
      }
    });
  });
});
