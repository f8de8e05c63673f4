// Export from a real server by the command, installation by the bundle where no interface is up.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportRelease, FirmproofClient } from '@firmproof/client';
import { parseVersion, sha256 } from '@firmproof/protocol';
import { CarReader } from '@ipld/car';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproof, firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { flipByte, LyingServer } from '../support/lying-server.ts';
import { compileForSmallDevice, compiler } from '../support/small-device.ts';
import {
  destroyStack,
  eventually,
  makeVendor,
  type Stack,
  stable,
  startStack,
  type TestVendor,
  temporaryDirectory,
} from '../support/stack.ts';

const image = randomBytes(3_500_000);

let stack: Stack;
let vendor: TestVendor;
let device: TestDevice;
let directory: string;
let file: string;
let programs: string;

/** The arguments that run a command with no interface up, if this machine allows it. */
const namespace = [
  ['unshare', '-n'],
  ['unshare', '-rn'],
].find(([command = '', ...args]) => spawnSync(command, [...args, 'true']).status === 0);

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack);
  directory = temporaryDirectory();
  programs = temporaryDirectory();
  file = join(directory, 'update.car');
  device = makeDevice(vendor.trustRoot, [stack.url]);
  await vendor.publish('1.0.0', image);
  await vendor.promote('1.0.0');
  await eventually(
    async () => (await device.check()).verdict,
    ({ outcome }) => outcome === 'update',
    'the update',
  );
  rmSync(join(device.directory, 'data'), { recursive: true });
});
afterAll(async () => {
  for (const made of [directory, programs]) rmSync(made, { recursive: true, force: true });
  device.destroy();
  await destroyStack(stack);
});

describe('an offline update', () => {
  test('is exported by the command as one file', async () => {
    const args = [
      'export',
      vendor.product,
      '--server',
      stack.url,
      '--home',
      join(directory, 'home'),
      '-o',
      file,
      '--json',
    ];
    const { code, stdout, stderr } = await runCommand(firmproof, args);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ file, version: '1.0.0', image: sha256(image), sizeBytes: image.length });
    expect(readdirSync(directory)).toEqual(['update.car']);
  });

  test('is a CAR that the library of IPFS reads, whose every block has its hash', async () => {
    let leaves = Buffer.alloc(0);
    for await (const { cid, bytes } of (await CarReader.fromBytes(readFileSync(file))).blocks()) {
      expect(sha256(bytes)).toBe(Buffer.from(cid.multihash.digest).toString('hex'));
      if (cid.code === 0x55 && bytes.length > 100_000) leaves = Buffer.concat([leaves, bytes]);
    }
    expect(sha256(leaves)).toBe(sha256(image));
  });

  test.skipIf(compiler === undefined)('is proved and taken apart by the programs for small devices', () => {
    const [evidence, bytes, root, state] = ['evidence.json', 'image.bin', 'root.json', 'device.json'].map((name) =>
      join(programs, name),
    ) as [string, string, string, string];
    const takeApart = compileForSmallDevice('offline', programs);
    expect(takeApart(file, evidence, bytes)).toEqual({ code: 0, lines: [sha256(image)] });
    expect(readFileSync(bytes)).toEqual(image);
    writeFileSync(root, JSON.stringify(vendor.trustRoot.envelope));
    const device = { channel: 'stable', hardware: 'rev-1', nowSeconds: 1_700_000_000, installed: { version: '0.0.1' } };
    writeFileSync(state, JSON.stringify({ ...device, rollbackFloor: 0, rolloutSecret: '00'.repeat(32) }));
    const verify = compileForSmallDevice('verify', programs);
    expect(verify(root, evidence, state)).toEqual({ code: 0, lines: [`update 1.0.0 ${sha256(image)}`] });
    const cut = join(programs, 'cut.car');
    writeFileSync(cut, readFileSync(file).subarray(0, -1));
    expect(takeApart(cut, evidence, bytes)).toEqual({ code: 1, lines: ['offline-file-malformed'] });
    writeFileSync(cut, flipByte(readFileSync(file), readFileSync(file).length - 1));
    expect(takeApart(cut, evidence, bytes)).toEqual({ code: 1, lines: ['block-digest-mismatch'] });
  });

  test.skipIf(namespace === undefined)('is installed in a network namespace with no interface up', () => {
    const [command = '', ...options] = namespace ?? [];
    const args = [...options, process.execPath, firmproofAgent, 'install', file, '--config', device.configFile];
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(stdout).toBe('installed: 1.0.0 runs and is confirmed\n');
    expect(device.running()).toBe(sha256(image));
  });

  test('says what a file is that is none, and which flag is for files', async () => {
    const config = ['--config', device.configFile];
    const missing = await runCommand(firmproofAgent, ['install', join(directory, 'none.car'), ...config]);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('file-not-found: ') });
    writeFileSync(join(directory, 'noise.car'), randomBytes(1000));
    const noise = await runCommand(firmproofAgent, ['install', join(directory, 'noise.car'), ...config]);
    expect(noise).toMatchObject({ code: 30, stdout: expect.stringContaining('[offline-file-malformed]') });
    const flag = await runCommand(firmproofAgent, ['install', '--accept-old-block', ...config]);
    expect(flag).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('usage-invalid: --accept-old-block is for a file'),
    });
  });

  test('of what is no head is not exported, and what a server sends wrong leaves no file', async () => {
    const other = join(directory, 'other.car');
    const options = { channel: stable, file: other };
    await expectCode('release-not-head', () =>
      exportRelease(vendor.vendor.client, vendor.product, { ...options, version: parseVersion('2.0.0') }),
    );
    const args = [
      'export',
      vendor.product,
      '--version',
      '2.0.0',
      '--server',
      stack.url,
      '--home',
      join(directory, 'home'),
      '-o',
      other,
    ];
    expect(await runCommand(firmproof, args)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('release-not-head: '),
    });
    const liar = await LyingServer.start(stack.url);
    const client = new FirmproofClient({ server: liar.url });
    let blocks = 0;
    const lie = { block: (bytes: Buffer) => (++blocks > 2 ? flipByte(bytes) : bytes) };
    await liar.lying(lie, () =>
      expectCode('block-digest-mismatch', () => exportRelease(client, vendor.product, options)),
    );
    await liar.stop();
    const nowhere = ['export', vendor.product, '--server', stack.url, '--home', join(directory, 'home'), '-o'];
    expect(await runCommand(firmproof, [...nowhere, join(directory, 'none', 'x.car')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('file-not-found: '),
    });
    expect(existsSync(other) || existsSync(`${other}.part`)).toBe(false);
  });
});
