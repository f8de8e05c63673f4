import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readlinkSync } from 'node:fs';
import { open, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSha256Digest, type Sha256Digest } from '@firmproof/protocol';
import { syncDirectory } from '@firmproof/protocol/node/atomic-file';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { type SlotName, slotNames } from './journal.ts';

export type Slots = ReturnType<typeof createSlots>;

/** Two image files, `a` and `b`, and a link `current` to the one that runs. The link is replaced atomically: never neither. */
export function createSlots(directory: string) {
  makeDirectory(directory);
  const link = join(directory, 'current');
  const fileOf = (slot: SlotName) => join(directory, `${slot}.image`);

  return {
    fileOf,

    /** The slot that runs; null before the first installation, when the factory image does. */
    current(): SlotName | null {
      if (!existsSync(link)) return null;
      const target = readlinkSync(link);
      return slotNames.find((slot) => target === `${slot}.image`) ?? null;
    },

    idle(): SlotName {
      return this.current() === 'a' ? 'b' : 'a';
    },

    async sync(slot: SlotName): Promise<void> {
      const handle = await open(fileOf(slot), 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
      await syncDirectory(directory);
    },

    /** What the storage really holds, read back and hashed. */
    async readBack(slot: SlotName): Promise<{ readonly digest: Sha256Digest; readonly sizeBytes: number }> {
      const hash = createHash('sha256');
      let sizeBytes = 0;
      for await (const chunk of createReadStream(fileOf(slot), { highWaterMark: 1 << 20 })) {
        hash.update(chunk);
        sizeBytes += chunk.length;
      }
      return { digest: parseSha256Digest(hash.digest('hex')), sizeBytes };
    },

    /** Makes a slot the one that runs, or with null goes back to the factory image. */
    async activate(slot: SlotName | null): Promise<void> {
      if (slot === null) {
        await rm(link, { force: true });
      } else {
        const temporary = `${link}.new`;
        await rm(temporary, { force: true });
        await symlink(`${slot}.image`, temporary);
        await rename(temporary, link);
      }
      await syncDirectory(directory);
    },
  };
}
