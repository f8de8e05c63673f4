import { glob, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Cid, dagPbCodec, FirmproofError, parseCid, partsOfCid, sha256 } from '@firmproof/protocol';
import { type ImportedImage, importImage } from '@firmproof/protocol/node';
import * as dagPb from '@ipld/dag-pb';
import { FsBlockstore } from 'blockstore-fs';
import { NextToLast } from 'blockstore-fs/sharding';
import { CID } from 'multiformats/cid';

export type ReceivedImage = ImportedImage & {
  /** Every block of the image, root first or last; each once. */
  readonly blocks: readonly Cid[];
  /** Lets go of the import: its blocks stay, and are kept from then on by whoever pinned them. */
  release(): void;
  /** Removes the blocks that only this import has brought. */
  discard(): Promise<void>;
};

export type ImageStore = ReturnType<typeof createImageStore>;

/**
 * Image blocks on disk. An import that fails leaves nothing; what a crash leaves is removed by `collectGarbage` before
 * the next start serves anything.
 */
export function createImageStore(directory: string) {
  const sharding = new NextToLast();
  const blocks = new FsBlockstore(directory, { shardingStrategy: sharding });
  /** How many imports under way rely on a block: none of them may remove it under another. */
  const users = new Map<string, number>();
  /** Blocks that imports under way have brought and nobody has pinned yet: the last one to let go removes them. */
  const unpinned = new Set<string>();
  const turns = new Map<string, Promise<unknown>>();

  /** What looks at a block and then changes it must not meet another that does. */
  function inTurn<Result>(key: string, act: () => Promise<Result>): Promise<Result> {
    const turn = (turns.get(key) ?? Promise.resolve()).then(act, act);
    const over = () => {
      if (turns.get(key) === turn) turns.delete(key);
    };
    turns.set(key, turn);
    turn.then(over, over);
    return turn;
  }

  const fileOf = (cid: CID) => {
    const { dir, file } = sharding.encode(cid);
    return join(directory, dir, file);
  };

  /** Where the store writes a block before it renames it (steno). */
  const temporaryFileOf = (cid: CID) => {
    const file = fileOf(cid);
    return join(dirname(file), `.${basename(file)}.tmp`);
  };

  /** The store leaves its half-written file behind when the disk is full, and takes the room that would be needed. */
  async function write(cid: CID, bytes: Uint8Array): Promise<void> {
    try {
      await blocks.put(cid, bytes);
    } catch (error) {
      await rm(temporaryFileOf(cid), { force: true });
      throw error;
    }
  }

  async function read(cid: CID): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of blocks.get(cid)) chunks.push(chunk);
    } catch (cause) {
      throw new FirmproofError('block-not-found', `block ${cid} is not here`, { cause });
    }
    const bytes = Buffer.concat(chunks);
    // A disk that rots must not be served from: the next source may still have the block.
    if (sha256(bytes) !== partsOfCid(parseCid(cid.toString())).digest)
      throw new FirmproofError('block-not-found', `block ${cid} is damaged`);
    return bytes;
  }

  /** Makes files and their directories survive a power cut; the store itself does not sync. */
  async function sync(cids: Iterable<CID>): Promise<void> {
    const directories = new Set([directory]);
    for (const cid of cids) {
      const file = fileOf(cid);
      directories.add(dirname(file));
      await syncPath(file);
    }
    for (const path of directories) await syncPath(path);
  }

  /** True when nobody else relies on the block any more. */
  function letGo(key: string): boolean {
    const left = (users.get(key) ?? 1) - 1;
    if (left > 0) users.set(key, left);
    else users.delete(key);
    return left <= 0;
  }

  return {
    open: () => blocks.open(),
    read: (cid: Cid) => read(CID.parse(cid)),
    has: (cid: Cid) => Promise.resolve(blocks.has(CID.parse(cid))),

    /** One block of its own, such as an attestation. */
    async put(cid: Cid, bytes: Uint8Array): Promise<void> {
      const parsed = CID.parse(cid);
      await rethrow(async () => {
        await write(parsed, bytes);
        await sync([parsed]);
      });
    },

    /** Reads for the exporter and the CAR writer. */
    reader: {
      async *get(cid: CID) {
        yield await read(cid);
      },
    },

    /**
     * Streams an image into the store; when it returns, every block is safe on disk.
     * @throws FirmproofError `image-empty`, `image-too-large`, `storage-full`, or what the source throws
     */
    async receive(source: AsyncIterable<Uint8Array>, maximumSizeBytes: number): Promise<ReceivedImage> {
      const used = new Map<string, CID>();
      const sink = {
        put: async (cid: CID, value: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => {
          const key = cid.toString();
          if (used.has(key)) return cid;
          used.set(key, cid);
          return inTurn(key, async () => {
            users.set(key, (users.get(key) ?? 0) + 1);
            if (!(await blocks.has(cid))) {
              await write(cid, value as Uint8Array);
              unpinned.add(key);
            }
            return cid;
          });
        },
      };
      const release = () => {
        for (const key of used.keys()) {
          unpinned.delete(key);
          letGo(key);
        }
      };
      const discard = async () => {
        for (const [key, cid] of used) {
          await inTurn(key, async () => {
            if (letGo(key) && unpinned.delete(key)) await blocks.delete(cid);
          });
        }
      };
      try {
        return await rethrow(async () => {
          const image = await importImage(source, { sink, maximumSizeBytes });
          await sync(used.values());
          const cids = [...used.keys()].map(parseCid);
          return { ...image, blocks: cids, release, discard };
        });
      } catch (error) {
        await discard();
        throw error;
      }
    },

    /** Removes every block that no pinned image needs: what an import before a crash has left. */
    async collectGarbage(pinned: ReadonlySet<string>): Promise<number> {
      // The store files blocks under their hash alone, and tells nothing of the codec: hashes are what can be compared.
      const kept = new Set([...pinned, ...users.keys()].map((key) => hashOf(CID.parse(key))));
      let removed = 0;
      for await (const unfinished of glob(join(directory, '*', '.*.tmp'))) {
        await rm(unfinished, { force: true });
        removed += 1;
      }
      for await (const { cid, bytes } of blocks.getAll()) {
        void bytes;
        if (kept.has(hashOf(cid))) continue;
        await rm(fileOf(cid), { force: true });
        removed += 1;
      }
      return removed;
    },
  };
}

/** The links of a block: none for a raw leaf. @throws FirmproofError `block-not-found` when the node is malformed */
export function linksOf(cid: Cid, bytes: Uint8Array): Cid[] {
  if (partsOfCid(cid).codec !== dagPbCodec) return [];
  try {
    return dagPb.decode(bytes).Links.map((link) => parseCid(link.Hash.toString()));
  } catch (cause) {
    throw new FirmproofError('block-not-found', `block ${cid} is malformed`, { cause });
  }
}

const hashOf = (cid: CID) => Buffer.from(cid.multihash.digest).toString('hex');

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The store wraps what the file system says; a full disk is told apart by its text. */
async function rethrow<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (/ENOSPC|EDQUOT/.test(String(error)))
      throw new FirmproofError('storage-full', "the server's disk is full", { cause: error });
    throw error;
  }
}
