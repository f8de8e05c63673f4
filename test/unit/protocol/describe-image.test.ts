import { describeImage, leafBytes } from '@firmproof/protocol/image';
import { importImage } from '@firmproof/protocol/node';
import { describe, expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 10)) % 256);

describe('an image described without Node', () => {
  test.each([1, 5000, leafBytes - 1, leafBytes, leafBytes + 1, 3 * leafBytes, 3 * leafBytes + 17])(
    'of %d bytes is what the import says',
    async (sizeBytes) => {
      const bytes = bytesOf(sizeBytes);
      const seen: number[] = [];
      const described = await describeImage(
        sizeBytes,
        async (offset, length) => bytes.slice(offset, offset + length),
        (done) => seen.push(done),
      );
      async function* source() {
        yield bytes;
      }
      expect(described).toEqual(await importImage(source()));
      expect(seen.at(-1)).toBe(sizeBytes);
      expect(seen.length).toBe(Math.ceil(sizeBytes / leafBytes));
    },
  );

  test('of no bytes is none', async () => {
    await expectCode('image-empty', () => describeImage(0, async () => new Uint8Array()));
  });
});
