import { closeSync, openSync, readSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Bytes32,
  deviceProof,
  FirmproofError,
  growDeviceTree,
  inSteps,
  leavesOf,
  nodeReader,
  type ProductId,
  parseDeviceLines,
  toHex,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node';
import { makeDirectory } from '@firmproof/protocol/node/directory';

export type DeviceLists = ReturnType<typeof createDeviceLists>;

const nodeBytes = 32;

/**
 * Lists of devices that are to be anchored or are, each with its tree, as files beside the database: `ROOT.csv` as it was sent
 * and `ROOT.tree`, from which a proof is read in as many steps as the tree is deep.
 */
export function createDeviceLists(directory: string) {
  const directoryOf = (product: string) => join(directory, product);
  const listFile = (product: string, root: string) => join(directoryOf(product), `${root}.csv`);
  const treeFile = (product: string, root: string) => join(directoryOf(product), `${root}.tree`);

  /** The devices of a list; null for one that is not here. */
  async function count(product: ProductId, root: Bytes32): Promise<number | null> {
    const [list, tree] = await Promise.all(
      [listFile(product, root), treeFile(product, root)].map((file) => stat(file).catch(() => null)),
    );
    return list && tree ? (tree.size / nodeBytes + 1) / 2 : null;
  }

  async function keep(product: ProductId, root: Bytes32, text: string): Promise<void> {
    const tree = await inSteps(growDeviceTree(leavesOf({ product, devices: parseDeviceLines(text) })));
    if (tree.root !== root)
      throw new FirmproofError('device-list-malformed', `the list has root ${tree.root}, not ${root}`);
    makeDirectory(directoryOf(product), 0o700);
    // The list comes last: where it is, its tree is too.
    await writeFileAtomically(treeFile(product, root), tree.nodes);
    await writeFileAtomically(listFile(product, root), text);
  }

  let last: Promise<unknown> = Promise.resolve();

  return {
    count,

    /**
     * Keeps a list, checked line by line. One list at a time is worked through, and in between other requests are answered.
     * @throws FirmproofError `device-list-malformed`, also for a list with another root
     */
    keep(product: ProductId, root: Bytes32, text: string): Promise<void> {
      const kept = last.then(() => keep(product, root, text));
      last = kept.catch(() => undefined);
      return kept;
    },

    /** The list as it was sent. @throws FirmproofError `device-list-missing` */
    async text(product: ProductId, root: Bytes32): Promise<string> {
      const text = await readFile(listFile(product, root), 'utf8').catch(() => null);
      if (text === null) throw new FirmproofError('device-list-missing', `no list with root ${root} is here`);
      return text;
    },

    /** The leaves of a list; none where it is not here. */
    async leaves(product: ProductId, root: Bytes32): Promise<readonly Bytes32[]> {
      const devices = await count(product, root);
      if (devices === null) return [];
      const read = nodeReader(await readFile(treeFile(product, root)));
      return Array.from({ length: devices }, (_, index) => toHex(read(devices - 1 + index)) as Bytes32);
    },

    /** The proof of a leaf; null where the list is not here or does not name it. */
    async proof(product: ProductId, root: Bytes32, leaf: Bytes32): Promise<readonly Bytes32[] | null> {
      const devices = await count(product, root);
      if (devices === null) return null;
      const file = openSync(treeFile(product, root), 'r');
      try {
        const read = (index: number) => {
          const node = new Uint8Array(nodeBytes);
          readSync(file, node, 0, nodeBytes, index * nodeBytes);
          return node;
        };
        return deviceProof(devices, read, leaf);
      } finally {
        closeSync(file);
      }
    },

    /** Drops lists that nobody wants any more. */
    async dropUnused(isUsed: (product: string, root: string) => boolean): Promise<void> {
      for (const product of await readdir(directory).catch(() => [])) {
        for (const file of await readdir(directoryOf(product)).catch(() => [])) {
          const root = file.slice(0, file.indexOf('.'));
          if (!isUsed(product, root)) await rm(join(directoryOf(product), file), { force: true });
        }
      }
    },
  };
}
