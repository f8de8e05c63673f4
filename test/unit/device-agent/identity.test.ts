// Who a device is: made once, on its own storage, and never on two machines.
import { createPublicKey, verify } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { trustRootType } from '@firmproof/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identityConfigSchema, openIdentity } from '../../../device-agent/src/identity/identity.ts';
import { reset } from '../../../device-agent/src/identity/reset.ts';
import { storageOf } from '../../../device-agent/src/identity/storage.ts';
import { hold } from '../../../device-agent/src/policy/choice.ts';
import { sendReceipts } from '../../../device-agent/src/receipts/send.ts';
import { makeDevice, type TestDevice } from '../../support/device.ts';
import { trustRootOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { ed25519Key } from '../../support/keys.ts';
import { temporaryDirectory } from '../../support/stack.ts';

let directory: string;
let machineIdFile: string;
beforeEach(() => {
  directory = temporaryDirectory();
  machineIdFile = join(directory, 'machine-id');
  writeFileSync(machineIdFile, 'c0ffee00c0ffee00c0ffee00c0ffee00\n');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (data = 'data', identity: object = {}) =>
  openIdentity({
    dataDirectory: join(directory, data),
    identity: identityConfigSchema.parse({ machineIdFile, ...identity }),
  });
const withoutFunctions = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('the identity', () => {
  test('is made once, for its owner alone, and again after a restart is the same', async () => {
    const first = await open();
    expect(withoutFunctions(await open())).toEqual(withoutFunctions(first));
    expect(first.cloned).toBe(false);
    for (const file of ['device.key', 'identity.json']) {
      expect(statSync(join(directory, 'data', file)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(directory, 'data')).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(directory, 'data', 'identity.json'), 'utf8')).not.toContain('c0ffee');
  });

  test('is made anew where it is damaged: an agent that cannot start updates nothing', async () => {
    const first = await open();
    writeFileSync(join(directory, 'data', 'identity.json'), '{"id":');
    writeFileSync(join(directory, 'data', 'device.key'), 'no key');
    const second = await open();
    expect(second.id).not.toBe(first.id);
    expect(second.key.publicKey).not.toBe(first.key.publicKey);
    expect((await open()).id).toBe(second.id);
    expect(readFileSync(join(directory, 'data', 'identity.json.damaged'), 'utf8')).toBe('{"id":');
  });

  test.each(['ed25519', 'ecdsa-p256-sha256'] as const)('signs with %s, 64 bytes', async (algorithm) => {
    const { key } = await open('data', { algorithm });
    expect(key.algorithm).toBe(algorithm);
    const bytes = Buffer.from('what is signed');
    const signature = await key.sign(bytes);
    expect(signature).toHaveLength(64);
    const publicKey = createPublicKey({ key: Buffer.from(key.publicKey, 'base64'), format: 'der', type: 'spki' });
    const hash = algorithm === 'ed25519' ? null : 'sha256';
    expect(verify(hash, bytes, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    // The setting is for a key that is made: another one later changes nothing.
    expect((await open('data', { algorithm: 'ed25519' })).key.publicKey).toBe(key.publicKey);
  });

  test('knows when it is a copy on another machine, where machines can be told apart', async () => {
    await open();
    mkdirSync(join(directory, 'copy'), { mode: 0o700 });
    for (const file of ['device.key', 'identity.json']) {
      copyFileSync(join(directory, 'data', file), join(directory, 'copy', file));
    }
    expect((await open('copy')).cloned).toBe(false);
    writeFileSync(machineIdFile, 'decafbaddecafbaddecafbaddecafbad\n');
    expect((await open('copy')).cloned).toBe(true);
    expect((await open('copy', { machineIdFile: join(directory, 'none') })).cloned).toBe(false);
    writeFileSync(machineIdFile, 'uninitialized\n');
    expect((await open('copy')).cloned).toBe(false);
  });

  test('is refused on storage that nobody can write: it came with the image', async () => {
    const table = join(directory, 'mounts');
    writeFileSync(
      table,
      [
        '20 1 0:1 / / ro,relatime - squashfs /dev/root ro',
        '21 20 0:2 / /var/lib rw,relatime - ext4 /dev/data rw',
        '22 20 0:3 / /mnt/with\\040space rw - ext4 /dev/other ro,errors=remount-ro',
        '23 20 0:4 / /var/lib rw - tmpfs tmpfs rw',
      ].join('\n'),
    );
    expect(storageOf('/opt/data', table)).toEqual({ mountPoint: '/', type: 'squashfs', readOnly: true });
    expect(storageOf('/var/lib/firmproof', table)).toEqual({ mountPoint: '/var/lib', type: 'tmpfs', readOnly: false });
    expect(storageOf('/var/library', table)).toMatchObject({ mountPoint: '/' });
    expect(storageOf('/', join(directory, 'no-table'))).toBeNull();
    expect(storageOf(directory)).toMatchObject({ readOnly: false });
    const readOnly = ['/sys/firmware', '/proc/sys', '/sys'].find((path) => storageOf(path)?.readOnly);
    if (readOnly !== undefined) {
      await expectCode('identity-in-image', () =>
        openIdentity({ dataDirectory: join(readOnly, 'firmproof'), identity: identityConfigSchema.parse({}) }),
      );
    }
  });
});

describe('a reset', () => {
  let device: TestDevice;
  beforeEach(() => {
    const key = ed25519Key();
    // Nobody listens there: a receipt waits.
    device = makeDevice(
      trustRootOf({ type: trustRootType }, [key]),
      ['http://127.0.0.1:9'],
      {},
      join(directory, 'device'),
    );
  });

  const data = () => join(directory, 'device', 'data');
  const live = () =>
    device.act(async (agent) => {
      await agent.journal.write({ rollbackFloor: 7, outcomes: { count: 1, recent: [outcome], lastFailure: null } });
      await hold(agent, { untilSeconds: null, updates: 'all' });
      await sendReceipts(agent);
    });
  const outcome = {
    number: 1,
    timeSeconds: 1,
    outcome: {
      result: 'confirmed',
      version: '1.0.0',
      image: 'a'.repeat(64),
      before: { version: '0.0.1', image: null },
    },
  } as never;

  test('to the factory leaves nothing behind', async () => {
    await live();
    expect(readdirSync(data()).length).toBeGreaterThan(4);
    await device.act((agent) => reset(agent, 'factory'));
    expect(readdirSync(data())).toEqual([]);
    expect(await device.status()).toMatchObject({ rollbackFloor: 0, hold: null, receipts: { waiting: 0 } });
  });

  test('for a new owner makes another device, which trusts what the one before trusted', async () => {
    await live();
    const before = await device.status();
    expect(before).toMatchObject({ receipts: { waiting: 1 }, hold: { updates: 'all' } });
    await device.act((agent) => reset(agent, 'new-owner'));
    expect(existsSync(join(data(), 'device.key'))).toBe(false);
    const after = await device.status();
    expect(after.device).not.toBe(before.device);
    expect(after.publicKey).not.toBe(before.publicKey);
    expect(after).toMatchObject({ rollbackFloor: 7, hold: null, receipts: { waiting: 0 } });
    // What the owner before did is not told in the name of the new one.
    await device.report();
    expect(await device.status()).toMatchObject({ receipts: { waiting: 0 } });
  });

  test('waits while an update is on its way', async () => {
    await device.act((agent) => agent.journal.write({ state: 'staged' }));
    await expectCode('install-in-progress', () => device.act((agent) => reset(agent, 'factory')));
  });
});
