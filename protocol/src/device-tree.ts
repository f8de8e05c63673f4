import { bytesToHex } from '@noble/hashes/utils.js';
import { type Bytes32, fromHex, keccak256, toHex } from './bytes.ts';
import { FirmproofError } from './errors.ts';

const nodeBytes = 32;

/**
 * A Merkle tree as OpenZeppelin's merkle-tree lays it out (N2 of docs/spec/device-anchor.md): node i has the children
 * 2i + 1 and 2i + 2, the leaves are the last nodes, the smallest leaf the very last. `nodes` are 32 bytes each, the root first.
 */
export type DeviceTree = { readonly root: Bytes32; readonly count: number; readonly nodes: Uint8Array };

/** Reads one node of a tree, wherever it is kept. */
export type ReadNode = (index: number) => Uint8Array;

/** How many nodes are made between two moments in which others may work. */
const nodesAtOnce = 2048;

/**
 * Makes a tree in steps, which `inSteps` takes one after the other; `deviceTree` makes it at once.
 * @throws FirmproofError `device-list-malformed` without leaves, or with one that is there twice
 */
export function* growDeviceTree(leaves: Iterable<Bytes32>): Generator<undefined, DeviceTree> {
  const sorted: Bytes32[] = [];
  for (const leaf of leaves) if (sorted.push(leaf) % nodesAtOnce === 0) yield;
  sorted.sort();
  const count = sorted.length;
  if (count === 0) throw new FirmproofError('device-list-malformed', 'the list names no device');
  const nodes = new Uint8Array((2 * count - 1) * nodeBytes);
  const write = (index: number, hash: string) => nodes.set(fromHex(hash), index * nodeBytes);
  for (const [position, leaf] of sorted.entries()) {
    if (leaf === sorted[position - 1])
      throw new FirmproofError('device-list-malformed', 'the list names a device twice');
    write(2 * count - 2 - position, leaf);
    if (position % nodesAtOnce === 0) yield;
  }
  const read = nodeReader(nodes);
  for (let index = count - 2; index >= 0; index -= 1) {
    write(index, parentOf(read(2 * index + 1), read(2 * index + 2)));
    if (index % nodesAtOnce === 0) yield;
  }
  return { root: toHex(read(0)) as Bytes32, count, nodes };
}

/** @throws FirmproofError `device-list-malformed` without leaves, or with one that is there twice */
export function deviceTree(leaves: Iterable<Bytes32>): DeviceTree {
  const growing = growDeviceTree(leaves);
  for (;;) {
    const step = growing.next();
    if (step.done) return step.value;
  }
}

/** Works in steps and lets others work in between: connections stay alive, requests are answered, a page reacts. */
export async function inSteps<Result>(work: Generator<undefined, Result>): Promise<Result> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

export const nodeReader =
  (nodes: Uint8Array): ReadNode =>
  (index) =>
    nodes.subarray(index * nodeBytes, (index + 1) * nodeBytes);

/** The siblings on the way from a leaf to the root (N3); null where the tree of `count` leaves does not have the leaf. */
export function deviceProof(count: number, read: ReadNode, leaf: Bytes32): readonly Bytes32[] | null {
  let index = findLeaf(count, read, leaf.slice(2));
  if (index === null) return null;
  const proof: Bytes32[] = [];
  while (index > 0) {
    proof.push(toHex(read(index % 2 === 1 ? index + 1 : index - 1)) as Bytes32);
    index = (index - 1) >> 1;
  }
  return proof;
}

/** The root that a proof leads to (N3.2). */
export const rootOfProof = (leaf: Bytes32, proof: readonly Bytes32[]): Bytes32 =>
  proof.reduce((node, sibling) => parentOf(fromHex(node), fromHex(sibling)), leaf);

/** Leaves are sorted, so they are found by halving. */
function findLeaf(count: number, read: ReadNode, leaf: string): number | null {
  let [low, high] = [0, count - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const index = 2 * count - 2 - middle;
    const found = bytesToHex(read(index));
    if (found === leaf) return index;
    if (found < leaf) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}

function parentOf(a: Uint8Array, b: Uint8Array): Bytes32 {
  return isLess(a, b) ? keccak256(a, b) : keccak256(b, a);
}

function isLess(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}
