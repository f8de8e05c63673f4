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
import { shell } from '../../../support/shell.ts';
import { temporaryDirectory } from '../../../support/stack.ts';

const first = randomBytes(200_000);
const second = randomBytes(300_000);
const identityOf = (bytes: Buffer) => ({ digest: sha256(bytes), sizeBytes: bytes.length });

let directory: string;
/** What the command has installed. */
let flash: string;
beforeEach(() => {
  directory = temporaryDirectory();
  flash = join(directory, 'flash');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const installerWith = (more: object): Installer => {
  const config = installerSchema.parse({ kind: 'command', directory: join(directory, 'staging'), ...more });
  if (config.kind === 'files') throw new Error('another installer');
  return createInstaller(config);
};

async function installed(installer: Installer, bytes: Buffer) {
  const slot = await installer.idle();
  const target = await installer.open(slot, bytes.length);
  await target.write(bytes, 0);
  await target.sync();
  await target.close();
  expect(await installer.readBack(slot, bytes.length)).toEqual(identityOf(bytes));
  return { slot, activation: await installer.activate(slot, identityOf(bytes)) };
}

const holds = (bytes: Buffer) => expect(readFileSync(flash).equals(bytes)).toBe(true);

describe.each([
  ['stdin', () => ({ install: { command: shell('cat > "$1"', flash) } })],
  ['path', () => ({ install: { command: ['/bin/cp', '{image}', flash], input: 'path' } })],
] as const)('a command that takes the image by %s, on a device with one place for it', (_, install) => {
  test('installs one image after the other', async () => {
    const installer = installerWith(install());
    expect(await installer.running()).toBeNull();
    expect(await installed(installer, first)).toEqual({ slot: 'a', activation: 'running' });
    holds(first);
    await installer.confirm('a');
    expect(await installed(installer, second)).toEqual({ slot: 'b', activation: 'running' });
    holds(second);
    expect(await installer.running()).toBe('b');
  });

  test('goes back by installing the image before again', async () => {
    const installer = installerWith(install());
    await installed(installer, first);
    await installed(installer, second);
    expect(await installer.rollBack('a')).toBe('running');
    holds(first);
    expect(await installer.running()).toBe('a');
  });

  test('goes back also where the new image was installed in part', async () => {
    await installed(installerWith(install()), first);
    const breaksOff = { command: shell('head -c 1000 > "$1"; exit 1', flash) };
    await expectCode('installer-failed', () => installed(installerWith({ install: breaksOff }), second));
    expect(readFileSync(flash).length).toBe(1000);
    await installerWith(install()).rollBack('a');
    holds(first);
  });

  test('does not go back to an image that was changed meanwhile', async () => {
    const installer = installerWith(install());
    await installed(installer, first);
    await installed(installer, second);
    writeFileSync(join(directory, 'staging', 'a.image'), randomBytes(first.length));
    await expectCode('handover-mismatch', () => installer.rollBack('a'));
    holds(second);
  });
});

describe('a command without an image before', () => {
  const install = () => ({ install: { command: shell('cat > "$1"', flash) } });

  test('cannot go back, and says so', async () => {
    const installer = installerWith(install());
    await installed(installer, first);
    await expectCode('rollback-unavailable', () => installer.rollBack(null));
  });

  test('goes back by a command of its own', async () => {
    const rollBack = { command: shell('echo factory > "$1"', flash) };
    const installer = installerWith({ ...install(), rollBack });
    await installed(installer, first);
    expect(await installer.rollBack(null)).toBe('running');
    expect(readFileSync(flash, 'utf8')).toBe('factory\n');
    expect(await installer.running()).toBeNull();
  });

  test.each([
    ['installer-failed', { command: shell('exit 1') }],
    ['installer-timed-out', { command: shell('sleep 1000'), timeoutSeconds: 0.3 }],
  ] as const)('says %s when the way back fails', async (code, rollBack) => {
    const installer = installerWith({ ...install(), rollBack });
    await installed(installer, first);
    await expectCode(code, () => installer.rollBack(null));
    expect(await installer.running()).toBe('a');
  });
});

describe('a command that fails', () => {
  test('has not made its image the one that runs', async () => {
    const installer = installerWith({ install: { command: shell('cat > /dev/null; exit 1') } });
    await expectCode('installer-failed', () => installed(installer, first));
    expect(await installer.running()).toBeNull();
  });

  test('to start has written nothing: the way back has nothing to do, with an image before or without', async () => {
    const missing = { install: { command: [join(directory, 'none')] } };
    await expectCode('installer-not-started', () => installed(installerWith(missing), first));
    expect(await installerWith(missing).rollBack(null)).toBe('running');
    await installed(installerWith({ install: { command: shell('cat > "$1"', flash) } }), first);
    await expectCode('installer-not-started', () => installed(installerWith(missing), second));
    expect(await installerWith(missing).rollBack('a')).toBe('running');
    holds(first);
  });

  test('may be tried again', async () => {
    const gate = join(directory, 'gate');
    const installer = installerWith({ install: { command: shell('cat > "$1" && test -e "$2"', flash, gate) } });
    await expectCode('installer-failed', () => installed(installer, first));
    writeFileSync(gate, '');
    expect(await installer.activate('a', identityOf(first))).toBe('running');
    holds(first);
  });
});

describe('a command on a device with a boot loader of two slots', () => {
  test('is told the slot; the boot loader starts it on trial', async () => {
    const loader = new BootLoader(directory);
    const { running, bootEnvironment } = loader;
    const install = { command: shell('cat > "$1.$2"', flash, '{slot}') };
    const installer = installerWith({ install, running, bootEnvironment });
    expect(await installed(installer, first)).toEqual({ slot: 'b', activation: 'reboot-needed' });
    expect(readFileSync(`${flash}.b`).equals(first)).toBe(true);
    expect(existsSync(`${flash}.a`)).toBe(false);
    expect([loader.boot(), loader.boot(), loader.boot(), loader.boot()]).toEqual(['b', 'b', 'b', 'a']);
    expect(await installer.rollBack('a')).toBe('running');
  });
});
