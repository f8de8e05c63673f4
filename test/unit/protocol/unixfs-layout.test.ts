import { encodeFileNode } from '@firmproof/protocol/image';
import { MemoryBlockstore } from 'blockstore-core/memory';
import fc from 'fast-check';
import { UnixFS } from 'ipfs-unixfs';
import { importFile } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced } from 'ipfs-unixfs-importer/layout';
import { describe, expect, test } from 'vitest';
import { balancedLayout } from '../../../protocol/node/unixfs-layout.ts';

describe('the layout of an image', () => {
  test.each([1, 2, 3, 1023, 1024, 1025, 2047, 2048, 2049, 3000])(
    'of %d leaves is the importer’s own',
    async (leaves) => {
      async function* source() {
        yield Uint8Array.from({ length: leaves * 4 }, (_, index) => (index * 7 + (index >> 8)) % 256);
      }
      const options = { profile: 'unixfs-v1-2025', chunker: fixedSize({ chunkSize: 4 }) } as const;
      const theirs = await importFile({ content: source() }, new MemoryBlockstore(), {
        ...options,
        layout: balanced({ maxChildrenPerNode: 1024 }),
      });
      const store = new MemoryBlockstore();
      const ours = await importFile({ content: source() }, store, { ...options, layout: balancedLayout(store) });
      expect(String(ours.cid)).toBe(String(theirs.cid));
    },
  );

  test('encodes file sizes as the library does, and from 2 to 4 GiB as it should', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 26 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        const theirs = new UnixFS({ type: 'file' });
        for (const size of sizes) theirs.addBlockSize(BigInt(size));
        expect(Buffer.from(encodeFileNode(sizes))).toEqual(Buffer.from(theirs.marshal()));
      }),
    );
    for (const sizeBytes of [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40]) {
      const sizes = [sizeBytes - 5, 5];
      const read = UnixFS.unmarshal(encodeFileNode(sizes));
      expect(Number(read.fileSize())).toBe(sizeBytes);
      expect(read.blockSizes.map(Number)).toEqual(sizes);
    }
    expect(Buffer.from(encodeFileNode([2 ** 31])).toString('hex')).toBe('0802188080808008208080808008');
  });
});
