// The commands that change a product: configure, apply, veto, trust-root. As a vendor and a guardian type them.
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Home } from '@firmproof/client';
import { publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproof, firmproofAgent, runCommand } from '../support/command.ts';
import { destroyAll, freshEd25519, freshP256, startSecondStack } from '../support/mover.ts';
import { eventually, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';
import { travel } from '../support/time.ts';

const passphrase = 'correct horse';
let old: Stack;
let fresh: Stack;
let home: string;
let guardianHome: string;

beforeAll(async () => {
  [old, fresh] = await Promise.all([startStack(), startSecondStack()]);
  home = temporaryDirectory();
  guardianHome = temporaryDirectory();
  await new Home(guardianHome).makeKeys(passphrase, { jobs: ['approval'] });
});
afterAll(async () => {
  for (const directory of [home, guardianHome]) rmSync(directory, { recursive: true, force: true });
  await destroyAll([old, fresh]);
});

/** Without an address, the one that the home remembers. */
const runIn = (directory: string, server: string | null, args: readonly string[]) =>
  runCommand(firmproof, [...args, '--json'], {
    FIRMPROOF_HOME: directory,
    FIRMPROOF_PASSPHRASE: passphrase,
    ...(server && { FIRMPROOF_SERVER: server }),
  });

async function vendor(...args: string[]) {
  const { code, stdout, stderr } = await runIn(home, null, args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

async function fails(code: string, exitCode: number, ...args: string[]) {
  const outcome = await runIn(home, null, args);
  expect(JSON.parse(outcome.stderr)).toMatchObject({ code });
  expect(outcome.code).toBe(exitCode);
}

describe('a vendor', () => {
  let device: string;

  test('sets up a product with a veto window and a guardian', async () => {
    const guardian = (await new Home(guardianHome).openApprovalKey(async () => passphrase)).signer;
    const setup = ['setup', '--solo', '--product', 'hub', '--delay', '1h', '--guardian', guardian];
    const { code, stderr } = await runIn(home, old.url, setup);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    device = join(home, 'device');
    await vendor('product', 'trust', '--output', device);
    expect(await vendor('trust-root', 'show')).toMatchObject({ version: 1, chainId: 31_337, name: 'hub' });
    writeFileSync(join(home, 'image.bin'), randomBytes(70_000));
    await vendor('publish', join(home, 'image.bin'), '--version', '1.0.0', '--channel', 'stable');
  });

  test('schedules a change, cannot apply it early, and the guardian vetoes it', async () => {
    await fails('usage-invalid', 2, 'product', 'configure');
    await fails('nothing-scheduled', 3, 'product', 'apply');
    expect(await vendor('product', 'configure', '--delay', '0s')).toMatchObject({
      state: 'confirmed',
      pending: { configuration: { delay: 0 } },
    });
    await fails('configuration-pending', 3, 'product', 'apply');
    // Another change would take its place, and one of the trust root would leave a signed root about that nobody adopts.
    await fails('configuration-pending', 3, 'product', 'configure', '--delay', '2h');
    const added = publicKeyOf(freshP256());
    await fails('configuration-pending', 3, 'trust-root', 'rotate', '--add-build-key', added);
    expect(await vendor('product', 'configure', '--delay', '2h', '--replace')).toMatchObject({
      pending: { configuration: { delay: 7200 } },
    });
    const product = (await vendor('product', 'show')).product;
    const veto = await runIn(guardianHome, old.url, ['product', 'veto', product]);
    expect(veto.stderr).toBe('');
    expect(JSON.parse(veto.stdout)).toMatchObject({ state: 'confirmed' });
    await travel(old, 3600);
    await fails('nothing-scheduled', 3, 'product', 'apply');
    expect(await vendor('product', 'show')).toMatchObject({ delaySeconds: 3600 });
  });

  test('adds a build key and drops a witness', async () => {
    await fails('usage-invalid', 2, 'trust-root', 'rotate');
    const added = publicKeyOf(freshP256());
    await vendor('trust-root', 'rotate', '--add-build-key', added, '--drop-witness', 'witness-3');
    await travel(old, 3600);
    expect(await vendor('product', 'apply')).toMatchObject({ version: 2, state: 'confirmed' });
    const { buildKeys, witnesses } = await vendor('trust-root', 'show');
    expect(buildKeys[1]).toBe(added);
    expect(witnesses.members).toHaveLength(2);
  });

  test('exchanges its root key, with both signatures', async () => {
    const next = freshEd25519();
    const file = join(home, 'next-root.pem');
    writeFileSync(file, next.export({ format: 'pem', type: 'pkcs8' }));
    const { rootKeys } = await vendor('trust-root', 'show');
    const exchange = ['--add-root-key', publicKeyOf(next), '--drop-root-key', rootKeys.keys[0]];
    await fails('trust-root-signature-invalid', 3, 'trust-root', 'rotate', ...exchange);
    await vendor('trust-root', 'rotate', ...exchange, '--root-key', file);
    await travel(old, 3600);
    expect(await vendor('product', 'apply')).toMatchObject({ version: 3 });
  });

  test('moves the product to another chain, and publishes there from then on', async () => {
    const before = await vendor('product', 'show');
    const file = join(home, 'next-root.pem');
    await vendor('trust-root', 'move', '--to', fresh.url, '--root-key', file);
    await travel(old, 3600);
    expect(await vendor('product', 'apply')).toMatchObject({ version: 4 });
    const after = await vendor('product', 'show');
    expect(after.product).not.toBe(before.product);
    expect(await vendor('trust-root', 'show')).toMatchObject({ version: 4, chainId: 1337, servers: [fresh.url] });
    writeFileSync(join(home, 'image.bin'), randomBytes(80_000));
    await vendor('publish', join(home, 'image.bin'), '--version', '2.0.0', '--channel', 'stable');
    await travel(fresh, 3600);
  });

  test('and a device with the files from the first day installs it', async () => {
    const config = join(device, 'agent.json');
    expect(JSON.parse(readFileSync(config, 'utf8')).servers).toEqual([old.url]);
    const install = async () => {
      const { stdout } = await runCommand(firmproofAgent, ['install', '--config', config, '--json']);
      return JSON.parse(stdout);
    };
    const done = await eventually(install, ({ outcome }) => outcome === 'installed', 'the installation');
    expect(done).toMatchObject({ version: '2.0.0' });
    const stop = await vendor('stop', 'stable');
    expect(stop).toMatchObject({ halted: true, runningDevices: 0, enrolledDevices: 0 });
  });

  test('drops its own build key there; what that one signed is listed', async () => {
    const { buildKeys } = await vendor('trust-root', 'show');
    const rootKey = ['--root-key', join(home, 'next-root.pem')];
    const both = buildKeys.flatMap((key: string) => ['--drop-build-key', key]);
    await fails('trust-root-malformed', 2, 'trust-root', 'rotate', ...both, ...rootKey);
    await vendor('trust-root', 'rotate', '--drop-build-key', buildKeys[0], ...rootKey);
    await travel(fresh, 3600);
    expect(await vendor('product', 'apply')).toMatchObject({ version: 5 });
    const { product } = await vendor('product', 'show');
    const release = await fetch(`${fresh.url}/v1/products/${product}/releases/2.0.0`);
    const { attestation } = (await release.json()) as { attestation: string };
    const root = await vendor('trust-root', 'show');
    expect(root).toMatchObject({ version: 5, buildKeys: [buildKeys[1]], acceptedAttestations: [attestation] });
  });
});
