// A32, A33, A34: what happens to an image between its verification and its confirmation, on a device with a real release.
import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Agent,
  confirm,
  type InstallResult,
  install,
  openAgent,
  readConfig,
  statusOf,
} from '@firmproof/device-agent';
import { sha256 } from '@firmproof/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BootLoader } from '../support/boot-loader.ts';
import { watchDisk } from '../support/disk/watch.ts';
import { expectCode } from '../support/expect-code.ts';
import { RecordedRelease } from '../support/recorded-release.ts';
import { shell } from '../support/shell.ts';
import { temporaryDirectory } from '../support/stack.ts';

const images = { before: randomBytes(50_000), after: randomBytes(120_000) };
const evil = randomBytes(120_000);

let release: RecordedRelease;
beforeAll(async () => {
  release = await RecordedRelease.record(images.before, images.after);
});
afterAll(() => release.close());

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A device that runs 1.0.0 and could have 2.0.0. Each boot of it has a name of its own. */
class Device {
  readonly directory: string;
  boots = 1;
  uptimeSeconds = 10;

  constructor(change: object = {}) {
    this.directory = release.copyOfDevice(change);
    made.push(this.directory);
  }

  slot = (name: string): string => join(this.directory, 'slots', name);

  async act<Result>(work: (agent: Agent) => Promise<Result>): Promise<Result> {
    const time = { bootId: `boot-${this.boots}`, uptimeSeconds: () => this.uptimeSeconds };
    const agent = await openAgent(readConfig(join(this.directory, 'agent.json')), time);
    try {
      return await work(agent);
    } finally {
      agent.close();
    }
  }

  install = (): Promise<InstallResult> => this.act((agent) => install(agent));
  status = () => this.act((agent) => statusOf(agent));

  reboot(): void {
    this.boots += 1;
    this.uptimeSeconds = 5;
  }

  async fingerprint(): Promise<object> {
    const { installed, slot, state, rollbackFloor, sequence } = await this.status();
    return { installed, slot, state, rollbackFloor, sequence, running: sha256(readFileSync(this.slot('current'))) };
  }

  /** Refused with exactly this code; what runs and what is remembered stays. An honest round installs the update then. */
  async resists(code: string, attack: () => Promise<InstallResult>): Promise<void> {
    const before = await this.fingerprint();
    expect(await attack()).toMatchObject({ outcome: 'refused', code });
    expect(await this.fingerprint()).toEqual(before);
    expect(sha256(readFileSync(this.slot('a.image')))).toBe(release.before);
  }
}

describe('A32 what is installed is what was verified', () => {
  test('a staged file that is swapped between the check and the activation', async () => {
    const file = join(release.copyOfDevice(), 'evil');
    made.push(dirname(file));
    writeFileSync(file, evil);
    const attacks = {
      overwritten: 'cat "$1" > "$2"',
      replaced: 'rm "$2" && cp "$1" "$2"',
      'a link to another file': 'rm "$2" && ln -s "$1" "$2"',
      longer: 'cat "$1" >> "$2"',
      gone: 'rm "$2"',
    };
    for (const [how, script] of Object.entries(attacks)) {
      const device = new Device();
      const beforeActivation = { command: shell(script, file, device.slot('b.image')) };
      const config = join(device.directory, 'agent.json');
      const honest = readFileSync(config, 'utf8');
      writeFileSync(config, JSON.stringify({ ...JSON.parse(honest), hooks: { beforeActivation } }));
      await device.resists('slot-readback-mismatch', () => device.install());
      writeFileSync(config, honest);
      expect(await device.install(), how).toEqual({ outcome: 'installed', version: '2.0.0' });
    }
  });

  test('a link to the same bytes, which could lead elsewhere later', async () => {
    const device = new Device();
    const copy = join(device.directory, 'copy');
    await device.resists('slot-readback-mismatch', () =>
      device.act((agent) => {
        const activate = agent.installer.activate;
        agent.installer.activate = (slot, image) => {
          writeFileSync(copy, readFileSync(device.slot('b.image')));
          unlinkSync(device.slot('b.image'));
          symlinkSync(copy, device.slot('b.image'));
          return activate(slot, image);
        };
        return install(agent);
      }),
    );
  });

  test.each(['symlink', 'rename', 'open'])(
    'a file that is swapped at the last moment, before the %s of the switch',
    async (moment) => {
      const device = new Device();
      await device.resists('slot-readback-mismatch', async () => {
        let isSwitching = false;
        const watch = watchDisk(device.directory, (what) => {
          isSwitching ||= what.endsWith('/current.new');
          if (!isSwitching || !what.startsWith(`promises.${moment}`)) return;
          isSwitching = false;
          const target = device.slot('b.image');
          const bytes = readFileSync(target);
          bytes[7] = (bytes[7] ?? 0) ^ 1;
          writeFileSync(target, bytes);
        });
        try {
          return await device.install();
        } finally {
          watch.stop();
        }
      });
    },
  );

  test.each([
    ['a link', symlinkSync],
    ['another name', linkSync],
  ])('a slot that is %s of the image that runs is not written through', async (_, plant) => {
    const device = new Device();
    plant(device.slot('a.image'), device.slot('b.image'));
    expect(await device.install()).toEqual({ outcome: 'installed', version: '2.0.0' });
    expect(sha256(readFileSync(device.slot('a.image')))).toBe(release.before);
    expect(sha256(readFileSync(device.slot('b.image')))).toBe(release.after);
    expect(lstatSync(device.slot('b.image')).nlink).toBe(1);
  });
});

describe('A33 a power cut', () => {
  test('a storage that is full once activation has begun: the next round finishes it', async () => {
    const device = new Device();
    const full = () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
    const result = await device.act((agent) => {
      const write = agent.journal.write.bind(agent.journal);
      agent.journal.write = (change) => (change.state === 'trial' ? full() : write(change));
      return install(agent);
    });
    expect(result).toMatchObject({ outcome: 'refused', code: 'device-storage-full' });
    expect(await device.status()).toMatchObject({ state: 'activating', target: '2.0.0' });
    expect(await device.install()).toEqual({ outcome: 'installed', version: '2.0.0' });
  });

  test('that damaged the new slot during activation: back to the one before, and the update is tried again', async () => {
    const device = new Device();
    await device.act(async (agent) => {
      agent.installer.activate = () => Promise.reject(new Error('the power goes'));
      await expect(install(agent)).rejects.toThrow('the power goes');
    });
    device.reboot();
    writeFileSync(device.slot('b.image'), evil);
    expect(await device.install()).toMatchObject({ outcome: 'refused', code: 'slot-readback-mismatch' });
    expect(sha256(readFileSync(device.slot('current')))).toBe(release.before);
    expect(await device.install()).toEqual({ outcome: 'installed', version: '2.0.0' });
  });
});

describe('A34 an image that is not healthy', () => {
  const isGivenUp = async (device: Device, code: string) => {
    const { failed, installed, rollbackFloor, state } = await device.status();
    expect(failed).toMatchObject([{ version: '2.0.0', code }]);
    expect({ version: installed.version, rollbackFloor, state }).toEqual({
      version: '1.0.0',
      rollbackFloor: 0,
      state: 'idle',
    });
    // Not in a loop: neither by itself nor after a reboot.
    for (let tries = 0; tries < 3; tries += 1) {
      device.reboot();
      expect(await device.install()).toMatchObject({ outcome: 'waiting', code: 'version-failed-here' });
    }
  };

  test.each([
    ['says so', ['/bin/false'], 'the health command ended with 1'],
    ['hangs', ['/bin/sleep', '100'], 'the health command did not end within 1 s'],
    ['lacks the command', ['/nowhere/check'], 'the health command cannot run'],
  ])('and %s is rolled back, told once, and not tried again', async (_, command, reason) => {
    const device = new Device({ health: { command, deadlineSeconds: 1 } });
    const result = await device.install();
    expect(result).toMatchObject({ outcome: 'rolled-back', code: 'health-check-failed' });
    expect('message' in result && result.message).toContain(reason);
    await isGivenUp(device, 'health-check-failed');
    const { outcomes } = await device.act(async ({ journal }) => journal.entry);
    const told = outcomes.recent.filter(({ outcome }) => outcome.version === '2.0.0');
    expect(told).toMatchObject([{ outcome: { result: 'rolled-back', code: 'health-check-failed' } }]);
  });

  test('and that nobody confirms in time is rolled back, whoever confirms it then', async () => {
    const device = new Device({ health: { confirm: 'external', deadlineSeconds: 60 } });
    expect(await device.install()).toEqual({ outcome: 'on-trial', version: '2.0.0' });
    device.uptimeSeconds += 61;
    expect(await device.act(confirm)).toMatchObject({ outcome: 'rolled-back', code: 'trial-expired' });
    await isGivenUp(device, 'trial-expired');
  });

  test('and that restarts the device again and again is rolled back', async () => {
    const device = new Device({ health: { confirm: 'external', deadlineSeconds: 3600, maximumBoots: 3 } });
    for (let boot = 1; boot <= 3; boot += 1) {
      expect(await device.install()).toEqual({ outcome: 'on-trial', version: '2.0.0' });
      device.reboot();
    }
    expect(await device.install()).toMatchObject({ outcome: 'rolled-back', code: 'trial-restarts' });
    await isGivenUp(device, 'trial-restarts');
  });

  test('and whose hook after activation fails is rolled back', async () => {
    const device = new Device({ hooks: { afterActivation: { command: ['/bin/false'] } } });
    expect(await device.install()).toMatchObject({ outcome: 'rolled-back', code: 'hook-failed' });
    await isGivenUp(device, 'hook-failed');
  });
});

describe('A34 on a device with a boot loader', () => {
  const withBootLoader = (change: object = {}) => {
    const boot = temporaryDirectory();
    made.push(boot);
    const loader = new BootLoader(boot);
    const slots = { a: join(boot, 'a.slot'), b: join(boot, 'b.slot') };
    writeFileSync(slots.a, images.before);
    writeFileSync(slots.b, Buffer.alloc(200_000));
    const { running, bootEnvironment } = loader;
    const installer = { kind: 'block-devices', slots, running, bootEnvironment };
    const device = new Device({ installer, health: { confirm: 'external', deadlineSeconds: 60 }, ...change });
    const reboot = () => {
      device.reboot();
      return loader.boot();
    };
    return { device, loader, reboot };
  };

  test('the trial goes on after the reboot, and confirming it clears the boot counter', async () => {
    const { device, loader, reboot } = withBootLoader();
    expect(await device.install()).toEqual({ outcome: 'reboot-needed', version: '2.0.0' });
    expect(await device.install()).toEqual({ outcome: 'reboot-needed', version: '2.0.0' });
    expect((await device.status()).why).toMatchObject({ outcome: 'trial', remedy: 'Reboot the device.' });
    await expectCode('nothing-to-confirm', () => device.act(confirm));
    // However long the reboot takes: the deadline counts from there.
    device.uptimeSeconds += 10_000;
    expect(reboot()).toBe('b');
    expect(await device.install()).toEqual({ outcome: 'on-trial', version: '2.0.0' });
    expect(await device.act(confirm)).toEqual({ outcome: 'installed', version: '2.0.0' });
    expect(loader.variable('firmproof_tries')).toBe('');
    expect([reboot(), reboot(), reboot(), reboot()]).toEqual(['b', 'b', 'b', 'b']);
    expect(await device.install()).toMatchObject({ outcome: 'current' });
  });

  test('an image that does not start: the boot loader falls back, and the agent says so', async () => {
    const { device, loader, reboot } = withBootLoader();
    expect(await device.install()).toMatchObject({ outcome: 'reboot-needed' });
    expect([reboot(), reboot(), reboot(), reboot()]).toEqual(['b', 'b', 'b', 'a']);
    expect(await device.install()).toMatchObject({ outcome: 'rolled-back', code: 'boot-fell-back' });
    expect((await device.status()).failed).toMatchObject([{ version: '2.0.0', code: 'boot-fell-back' }]);
    expect(loader.variable('firmproof_try')).toBe('');
    expect(await device.install()).toMatchObject({ outcome: 'waiting', code: 'version-failed-here' });
  });

  test('one that is not healthy goes with the next boot', async () => {
    const { device, reboot } = withBootLoader({ health: { command: ['/bin/false'], deadlineSeconds: 60 } });
    expect(await device.install()).toMatchObject({ outcome: 'reboot-needed' });
    expect(reboot()).toBe('b');
    expect(await device.install()).toMatchObject({ outcome: 'rolled-back', code: 'health-check-failed' });
    expect(await device.status()).toMatchObject({ state: 'rolling-back', why: { code: 'health-check-failed' } });
    expect(reboot()).toBe('a');
    expect(await device.install()).toMatchObject({ outcome: 'rolled-back', code: 'health-check-failed' });
    expect(await device.status()).toMatchObject({ state: 'idle', slot: 'a', installed: { version: '1.0.0' } });
  });

  test('the agent asks for the reboot where it is told how, and says when that fails', async () => {
    const { device, loader } = withBootLoader({ reboot: { command: ['/bin/false'] } });
    expect(await device.install()).toMatchObject({ outcome: 'refused', code: 'reboot-failed' });
    expect(await device.status()).toMatchObject({ state: 'trial', lastVerdict: { code: 'reboot-failed' } });
    device.reboot();
    expect(loader.boot()).toBe('b');
    expect(await device.install()).toEqual({ outcome: 'on-trial', version: '2.0.0' });
  });
});

test('A34 where there is no way back, the device says so and is not stuck', async () => {
  const directory = temporaryDirectory();
  made.push(directory);
  const installer = { kind: 'command', directory, install: { command: shell('cat > /dev/null') } };
  const device = new Device({ installer, health: { command: ['/bin/false'], deadlineSeconds: 60 } });
  expect(await device.install()).toMatchObject({ outcome: 'refused', code: 'rollback-unavailable' });
  expect(await device.status()).toMatchObject({
    state: 'idle',
    installed: { version: '1.0.0' },
    failed: [{ version: '2.0.0' }],
  });
  expect(await device.install()).toMatchObject({ outcome: 'waiting', code: 'version-failed-here' });
});
