import { growTree } from '@firmproof/protocol/image';
import type { WritableStorage } from 'ipfs-unixfs-importer';
import type { FileLayout } from 'ipfs-unixfs-importer/layout';

/**
 * The balanced layout of profile unixfs-v1-2025, for the importer. Its own cannot be used: the protobuf writer below it
 * (protons-runtime up to 8.0.1) writes a file size from 2 to 4 GiB as one byte and leaves random memory behind it, so that
 * the same image got another CID each time (docs/adr/0009-unixfs-layout.md).
 */
export function balancedLayout(sink: WritableStorage): FileLayout {
  return async (source, reduce) => {
    const tree = growTree((cid, block) => sink.put(cid, block));
    let leaves = 0;
    let single: Parameters<typeof reduce>[0][number] | undefined;
    for await (const leaf of source) {
      leaves += 1;
      single = leaf;
      const sizeBytes = Number(leaf.size);
      await tree.push({ cid: leaf.cid, fileBytes: sizeBytes, treeBytes: sizeBytes });
    }
    // A single leaf is the file itself.
    if (leaves <= 1 && single) return reduce([single]);
    const { cid, treeBytes } = await tree.root();
    return { cid, size: BigInt(treeBytes), block: new Uint8Array() };
  };
}
