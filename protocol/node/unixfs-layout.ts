import * as dagPb from '@ipld/dag-pb';
import type { WritableStorage } from 'ipfs-unixfs-importer';
import type { FileLayout } from 'ipfs-unixfs-importer/layout';
import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';

/** Profile unixfs-v1-2025. */
const linksOfANode = 1024;

/** A node or leaf on the way up: what it is called, how many bytes of the file it covers, how large it is with all below it. */
type Child = { readonly cid: CID; readonly fileBytes: number; readonly treeBytes: number };

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

const fileType = 2;

/** The UnixFS message of a file node (unixfs.proto): Type = 1, filesize = 3, blocksizes = 4. */
export function encodeFileNode(blockSizes: readonly number[]): Uint8Array {
  const fileBytes = blockSizes.reduce((sum, size) => sum + size, 0);
  return Uint8Array.from([
    8,
    fileType,
    0x18,
    ...varint(fileBytes),
    ...blockSizes.flatMap((size) => [0x20, ...varint(size)]),
  ]);
}

async function nodeOf(children: readonly Child[], sink: WritableStorage): Promise<Child> {
  const links = children.map(({ cid, treeBytes }) => ({ Name: '', Tsize: treeBytes, Hash: cid }));
  const data = encodeFileNode(children.map(({ fileBytes }) => fileBytes));
  const block = dagPb.encode(dagPb.prepare({ Data: data, Links: links }));
  const cid = CID.createV1(dagPb.code, await sha256.digest(block));
  await sink.put(cid, block);
  const sum = (of: (child: Child) => number) => children.reduce((total, child) => total + of(child), 0);
  return { cid, fileBytes: sum((child) => child.fileBytes), treeBytes: block.length + sum((child) => child.treeBytes) };
}

/**
 * The balanced layout of profile unixfs-v1-2025 over raw leaves. The importer's own cannot be used: the protobuf writer below
 * it (protons-runtime up to 8.0.1) writes a file size from 2 to 4 GiB as one byte and leaves random memory behind it, so that
 * the same image got another CID each time (docs/adr/0009-unixfs-layout.md).
 */
export function balancedLayout(sink: WritableStorage): FileLayout {
  return async (source, reduce) => {
    const open: Child[][] = [[]];
    const push = async (child: Child, level = 0): Promise<void> => {
      const children = open[level] ?? [];
      open[level] = children;
      children.push(child);
      if (children.length < linksOfANode) return;
      open[level] = [];
      await push(await nodeOf(children, sink), level + 1);
    };
    let leaves = 0;
    let single: Parameters<typeof reduce>[0][number] | undefined;
    for await (const leaf of source) {
      leaves += 1;
      single = leaf;
      const sizeBytes = Number(leaf.size);
      await push({ cid: leaf.cid, fileBytes: sizeBytes, treeBytes: sizeBytes });
    }
    // A single leaf is the file itself.
    if (leaves <= 1 && single) return reduce([single]);
    const { cid, treeBytes } = await rootOf(open, sink);
    return { cid, size: BigInt(treeBytes), block: new Uint8Array() };
  };
}

/** Closes the levels from the bottom: what is left of one becomes a node of the next, until one node is left. */
async function rootOf(open: readonly Child[][], sink: WritableStorage): Promise<Child> {
  let carried: Child | undefined;
  for (const [level, children] of open.entries()) {
    const all = carried ? [...children, carried] : children;
    const isTop = open.slice(level + 1).every((above) => above.length === 0);
    if (isTop && all.length === 1 && level > 0 && all[0]) return all[0];
    carried = all.length > 0 ? await nodeOf(all, sink) : undefined;
    if (isTop && carried) return carried;
  }
  throw new Error('a layout without leaves');
}
