import * as dagPb from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';

/** Profile unixfs-v1-2025. */
export const leafBytes = 1 << 20;
const linksOfANode = 1024;

/** A node or leaf on the way up: what it is called, how many bytes of the file it covers, how large it is with all below it. */
export type TreeNode = { readonly cid: CID; readonly fileBytes: number; readonly treeBytes: number };

/** Takes the block of a node that is finished. */
export type PutBlock = (cid: CID, block: Uint8Array) => Promise<unknown> | unknown;

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

async function nodeOf(children: readonly TreeNode[], put: PutBlock): Promise<TreeNode> {
  const links = children.map(({ cid, treeBytes }) => ({ Name: '', Tsize: treeBytes, Hash: cid }));
  const data = encodeFileNode(children.map(({ fileBytes }) => fileBytes));
  const block = dagPb.encode(dagPb.prepare({ Data: data, Links: links }));
  const cid = CID.createV1(dagPb.code, await sha256.digest(block));
  await put(cid, block);
  const sum = (of: (child: TreeNode) => number) => children.reduce((total, child) => total + of(child), 0);
  return { cid, fileBytes: sum((child) => child.fileBytes), treeBytes: block.length + sum((child) => child.treeBytes) };
}

/**
 * The balanced tree of profile unixfs-v1-2025 over raw leaves, built while they come: no more is kept than the open node of
 * each level. The importer's own layout cannot be used (docs/adr/0009-unixfs-layout.md).
 */
export function growTree(put: PutBlock): {
  readonly push: (leaf: TreeNode) => Promise<void>;
  /** The root over all leaves; a single leaf is the file itself. */
  readonly root: () => Promise<TreeNode>;
} {
  const open: TreeNode[][] = [[]];
  async function push(child: TreeNode, level = 0): Promise<void> {
    const children = open[level] ?? [];
    open[level] = children;
    children.push(child);
    if (children.length < linksOfANode) return;
    open[level] = [];
    await push(await nodeOf(children, put), level + 1);
  }
  return { push: (leaf) => push(leaf), root: () => rootOf(open, put) };
}

/** Closes the levels from the bottom: what is left of one becomes a node of the next, until one node is left. */
async function rootOf(open: readonly TreeNode[][], put: PutBlock): Promise<TreeNode> {
  let carried: TreeNode | undefined;
  for (const [level, children] of open.entries()) {
    const all = carried ? [...children, carried] : children;
    const isTop = open.slice(level + 1).every((above) => above.length === 0);
    if (isTop && all.length === 1 && all[0]) return all[0];
    carried = all.length > 0 ? await nodeOf(all, put) : undefined;
    if (isTop && carried) return carried;
  }
  throw new Error('a tree without leaves');
}
