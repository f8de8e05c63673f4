// What a newcomer gets wrong, with nothing set up and no server: each is told what it was and what to do.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePublicKey } from '@firmproof/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FirmproofClient } from '../../client/src/api-client.ts';
import { decryptSecret } from '../../client/src/key-file.ts';
import { requireSameImage } from '../../client/src/proposal-review.ts';
import { firmproof, runCommand } from '../support/command.ts';
import { expectCode } from '../support/expect-code.ts';
import { temporaryDirectory } from '../support/stack.ts';

let directory: string;
const product = `0x${'11'.repeat(32)}`;

beforeAll(() => {
  directory = temporaryDirectory();
  writeFileSync(join(directory, 'image.bin'), 'image');
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const run = (...args: string[]) =>
  runCommand(firmproof, args, { FIRMPROOF_HOME: join(directory, 'home'), FIRMPROOF_SERVER: 'http://127.0.0.1:1' });

/** Must fail so; message and hint have to match. */
async function fails(code: string, exitCode: number, args: readonly string[], message: RegExp, hint: RegExp = /\S/) {
  const outcome = await run(...args, '--json');
  expect(JSON.parse(outcome.stderr)).toEqual({
    code,
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });
  expect([outcome.code, outcome.stdout]).toEqual([exitCode, '']);
}

test('a directory is no image, no bill of materials and no evidence', async () => {
  const isDirectory = /is a directory/;
  const image = join(directory, 'image.bin');
  await fails('file-not-found', 2, ['publish', directory, '--version', '1.0.1'], isDirectory);
  const publish = ['publish', image, '--version', '1.0.1', '--product', product];
  await fails('file-not-found', 2, [...publish, '--sbom', directory], isDirectory);
  await fails('file-not-found', 2, ['verify', directory], isDirectory);
  await fails('file-not-found', 2, ['verify', image, '--trust-root', directory], isDirectory);
  const approved = { digest: 'ab', cid: null } as unknown as Parameters<typeof requireSameImage>[1];
  await expectCode('file-not-found', () => requireSameImage(directory, approved, () => undefined));
  await expect(requireSameImage(image, approved, () => undefined)).rejects.toMatchObject({
    code: 'statement-subject',
    hint: expect.stringMatching(/^Do not approve it.*firmproof reject/),
  });
});

test('in an empty home, the first step is named', async () => {
  await fails('usage-invalid', 2, ['status'], /no product is named/, /firmproof setup/);
});

test('a value that cannot be is shown, with what it should be', async () => {
  const image = join(directory, 'image.bin');
  await fails('version-invalid', 2, ['publish', image, '--version', '1.0'], /"1\.0"/, /three numbers, as 1\.0\.0/);
  await fails('name-invalid', 2, ['status', 'Prime Hub'], /"Prime Hub"/, /a-z, 0-9/);
  await fails('bytes32-invalid', 2, ['status', '0x12'], /"0x12"/, /64/);
  const key = 'ab'.repeat(32);
  const check = ['chain', 'check', 'http://127.0.0.1:1', '--registry'];
  await fails('address-invalid', 2, [...check, 'banana'], /"banana"/, /42/);
  // It may be a secret that was pasted into the wrong place.
  await fails('address-invalid', 2, [...check, key], new RegExp(`"${key.slice(0, 20)}…"`));
  await fails('usage-invalid', 2, ['chain', 'check', 'banana'], /"banana"/, /http/);
  await fails('usage-invalid', 2, ['audit', product, '--rpc', 'banana'], /"banana"/, /http/);
});

test('what is no id of a proposal is asked of no server', async () => {
  const hint = /64 digits/;
  await fails('usage-invalid', 2, ['proposal', 'show', 'banana'], /"banana" is no id/, hint);
  await fails('usage-invalid', 2, ['proposal', 'show', product.slice(0, -1)], /is no id/, hint);
  await fails('server-unreachable', 7, ['proposal', 'show', product], /does not answer/);
  await expectCode('usage-invalid', () => new FirmproofClient({ server: 'http://127.0.0.1:1' }).relay('../info'));
});

test('a key that cannot be read says which and what to do', async () => {
  expect(() => parsePublicKey('banana')).toThrow(
    expect.objectContaining({ code: 'key-invalid', hint: expect.stringMatching(/SubjectPublicKeyInfo/) }),
  );
  const file = join(directory, 'approval.json');
  await expect(decryptSecret('{}', 'secret', file)).rejects.toMatchObject({
    code: 'key-invalid',
    message: expect.stringContaining(file),
    hint: expect.stringMatching(/backup/),
  });
});

test('a wallet that does not answer is not one that refuses', async () => {
  const address = `0x${'11'.repeat(20)}`;
  const use = ['signer', 'use', '--address', address, '--wallet', 'http://127.0.0.1:1'];
  await fails('signer-unreachable', 7, use, /^the wallet at http:\/\/127\.0\.0\.1:1\/ does not answer$/, /wallet/);
});

test('every command’s help names the options of all commands and the exit codes', async () => {
  for (const command of [['publish'], ['product', 'trust'], ['audit']]) {
    const { code, stdout } = await run(...command, '--help');
    expect(code).toBe(0);
    for (const part of ['Global Options:', '--home', '--server', '--json', 'Exit codes', 'Ctrl-C'])
      expect(stdout).toContain(part);
  }
  expect((await run('audit', '--help')).stdout).not.toContain('--version');
  const { code, stdout, stderr } = await run('--version');
  expect([code, stdout, stderr]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/), '']);
});
