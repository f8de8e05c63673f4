// What a newcomer gets wrong, with nothing set up and no server: each is told what it was and what to do.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
