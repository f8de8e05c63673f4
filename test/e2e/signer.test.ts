// What everybody in a team does first: keys in files, behind a command, in a wallet.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRpc } from '@firmproof/protocol/node';
import { getAddress } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Person } from '../support/person.ts';
import { keyFiles } from '../support/signing-key.ts';
import { destroyStack, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';
import { walletSigner } from '../support/team.ts';

let stack: Stack;
let directory: string;
let alice: Person;
let bruno: Person;
let carla: Person;
let dora: Person;

beforeAll(async () => {
  stack = await startStack();
  directory = temporaryDirectory();
  const person = (name: string) => new Person(name, directory, stack.url);
  [alice, bruno, carla, dora] = [person('alice'), person('bruno'), person('carla'), person('dora')];
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

const signerOf = async (person: Person): Promise<string> => (await person.json('signer', 'show')).signer;
const edwardsKey = () =>
  generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).toString('base64');

describe('everybody’s first step', () => {
  test('is a key: a wallet or a P-256 key on this machine, never overwritten', async () => {
    const made = await alice.run(['signer', 'new']);
    expect(made.code).toBe(0);
    // Alone on stdout, to be piped.
    expect(made.stdout).toMatch(/^wallet:0x[0-9a-fA-F]{40}\n$/);
    expect(made.stderr).toContain('firmproof team join');
    const before = readFileSync(join(alice.home, 'keys', 'approval.json'), 'utf8');
    await alice.fails('setup-exists', 2, 'signer', 'new', '--kind', 'p256');
    expect(readFileSync(join(alice.home, 'keys', 'approval.json'), 'utf8')).toBe(before);
    expect(await bruno.json('signer', 'new', '--kind', 'p256')).toMatchObject({
      kind: 'p256',
      signer: expect.stringMatching(/^p256:[0-9a-f]{128}$/),
    });
    expect(existsSync(join(bruno.home, 'keys', 'build.json'))).toBe(false);
    await carla.fails('usage-invalid', 2, 'signer', 'new', '--kind', 'passkey');
  });

  test('shows it without a passphrase', async () => {
    const { stdout, code } = await alice.run(['signer', 'show'], { FIRMPROOF_PASSPHRASE: 'nonsense' });
    expect([code, stdout]).toEqual([0, `${await signerOf(alice)}\n`]);
    // A directory of an earlier version has not written it down: the key is opened once.
    const settings = join(alice.home, 'settings.json');
    const kept = readFileSync(settings, 'utf8');
    rmSync(settings);
    const wrong = await alice.run(['signer', 'show', '--json'], { FIRMPROOF_PASSPHRASE: 'nonsense' });
    expect(JSON.parse(wrong.stderr)).toMatchObject({ code: 'passphrase-wrong' });
    expect(`${(await alice.json('signer', 'show')).signer}\n`).toBe(stdout);
    expect(readFileSync(settings, 'utf8')).toContain(JSON.parse(kept).signer);
  });

  test('is told when there is none', async () => {
    await carla.fails('key-not-found', 4, 'signer', 'show');
    await carla.fails('account-not-found', 3, 'team', 'show');
  });

  test('or a key in hardware, behind a command', async () => {
    const { command, publicKey } = keyFiles(directory, 'token');
    const other = keyFiles(directory, 'other');
    const use = ['signer', 'use', '--command'];
    await carla.fails('usage-invalid', 2, ...use, command);
    await carla.fails('usage-invalid', 2, ...use, `"${command}`, '--public-key', publicKey);
    await carla.fails('file-not-found', 2, ...use, command, '--public-key', join(directory, 'nowhere'));
    const odd = join(directory, 'odd.pub');
    for (const text of ['nonsense', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', edwardsKey()]) {
      writeFileSync(odd, text);
      await carla.fails('key-invalid', 4, ...use, command, '--public-key', odd);
    }
    // Tried out at once: another key, no signature, no program.
    await carla.fails('signer-command-failed', 4, ...use, command, '--public-key', other.publicKey);
    await carla.fails('signer-command-failed', 4, ...use, 'echo nonsense', '--public-key', publicKey);
    await carla.fails('signer-command-failed', 4, ...use, join(directory, 'nowhere'), '--public-key', publicKey);
    await carla.fails('key-not-found', 4, 'signer', 'show');
    const used = await carla.json(...use, command, '--public-key', publicKey);
    expect(used).toMatchObject({ kind: 'p256' });
    expect(await signerOf(carla)).toBe(used.signer);
    // The same key behind another command is the same signer; another key is not.
    await carla.json(...use, command, '--public-key', publicKey);
    await carla.fails('setup-exists', 2, ...use, other.command, '--public-key', other.publicKey);
    await carla.fails('setup-exists', 2, 'signer', 'new');
    await alice.fails('setup-exists', 2, ...use, command, '--public-key', publicKey);
  });

  test('or a wallet that speaks JSON-RPC', async () => {
    const [account = ''] = await createRpc(stack.rpcUrl)<string[]>('eth_accounts');
    const use = ['signer', 'use', '--wallet'];
    await dora.fails('usage-invalid', 2, ...use, stack.rpcUrl);
    await dora.fails('usage-invalid', 2, ...use, 'ftp://wallet', '--address', account);
    await dora.fails('address-invalid', 2, ...use, stack.rpcUrl, '--address', '0x12');
    await dora.fails('signer-command-failed', 4, ...use, stack.rpcUrl, '--address', walletSigner().wallet.address);
    const used = await dora.json(...use, stack.rpcUrl, '--address', account);
    expect(used).toMatchObject({ kind: 'wallet', signer: `wallet:${getAddress(account)}` });
  });
});
