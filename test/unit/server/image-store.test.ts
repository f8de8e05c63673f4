import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createImageStore } from '../../../server/src/images/image-store.ts';
import { expectCode } from '../../support/expect-code.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const mebibyte = 1 << 20;
const content = randomBytes(2.5 * mebibyte);
let root: string;
beforeAll(() => {
  root = temporaryDirectory();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function open() {
  const directory = `${root}/${randomBytes(6).toString('hex')}`;
  const store = createImageStore(directory);
  await store.open();
  const files = () =>
    readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
  return { store, files };
}

/** The same image, in pieces, that ends or breaks off after some of them. */
async function* stream(breaksOff: boolean, pauses: number) {
  for (let at = 0; at < content.length; at += mebibyte / 2) {
    for (let turn = 0; turn < pauses; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (breaksOff && at > mebibyte) throw new Error('broken off');
    yield content.subarray(at, at + mebibyte / 2);
  }
}

describe('the image store', () => {
  test('keeps what one of many concurrent imports of the same image pins, and nothing when none does', async () => {
    const fate = fc.record({ fate: fc.constantFrom('breaks off', 'is discarded', 'is pinned'), pauses: fc.nat(20) });
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { minLength: 2, maxLength: 5 }), async (imports) => {
        const { store, files } = await open();
        const pinned = await Promise.all(
          imports.map(async ({ fate, pauses }) => {
            try {
              const image = await store.receive(stream(fate === 'breaks off', pauses), 10 * mebibyte);
              if (fate === 'is pinned') image.release();
              else await image.discard();
              return fate === 'is pinned' ? image : null;
            } catch {
              return null;
            }
          }),
        );
        const image = pinned.find((one) => one !== null);
        expect(files()).toBe(image ? image.blocks.length : 0);
        for (const cid of image?.blocks ?? []) await store.read(cid);
      }),
      { numRuns: 25 },
    );
  });

  test('says what is wrong with an image, and keeps nothing of it', async () => {
    const { store, files } = await open();
    await expectCode('image-too-large', () => store.receive(stream(false, 0), mebibyte));
    await expectCode('image-empty', () => store.receive((async function* () {})(), mebibyte));
    expect(files()).toBe(0);
  });
});
