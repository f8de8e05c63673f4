import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';
import { syncDirectory } from '@firmproof/protocol/node/atomic-file';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { type SlotName, slotNames } from '../journal.ts';
import { digestOf, imageTargetOf } from './image-file.ts';
import type { ImageIdentity, Installer } from './installer.ts';

const readableByAll = 0o644;
const othersMayNotWrite = 0o022;

/** Two image files, `a` and `b`, and a link `current` to the one that runs. The link is replaced atomically: never neither. */
export function createFilesInstaller({ directory }: { readonly directory: string }): Installer {
  const link = join(directory, 'current');
  const nameOf = (slot: SlotName) => `${slot}.image`;
  const fileOf = (slot: SlotName) => join(directory, nameOf(slot));

  const running = async (): Promise<SlotName | null> => {
    const target = await readlink(link).catch(() => null);
    return slotNames.find((slot) => target === nameOf(slot)) ?? null;
  };

  const pointAt = async (slot: SlotName | null): Promise<void> => {
    if (slot === null) {
      await rm(link, { force: true });
    } else {
      const temporary = `${link}.new`;
      await rm(temporary, { force: true });
      await symlink(nameOf(slot), temporary);
      await rename(temporary, link);
    }
    await syncDirectory(directory);
  };

  return {
    kind: 'files',
    running,

    async idle() {
      return (await running()) === 'a' ? 'b' : 'a';
    },

    async open(slot, sizeBytes) {
      makeOpenDirectory(directory);
      const handle = await openSlot(fileOf(slot));
      await handle.truncate(sizeBytes);
      await syncDirectory(directory);
      return imageTargetOf(handle);
    },

    async readBack(slot) {
      const file = fileOf(slot);
      const { size } = requirePlain(file, await statOf(file));
      return digestOf(file, Number(size));
    },

    /** A32: by the time that the link points at them, the bytes are still those that were verified. */
    async activate(slot, image) {
      const file = fileOf(slot);
      const verified = await statOfVerified(file, image);
      const before = await running();
      await pointAt(slot);
      if (isSameContent(verified, await statOf(file))) return 'running';
      await pointAt(before);
      throw changed(file);
    },

    async confirm() {
      // Nothing counts boots here: the link is all that there is.
    },

    async rollBack(previous) {
      await pointAt(previous);
      return 'running';
    },
  };
}

const statOf = (file: string): Promise<BigIntStats | null> => lstat(file, { bigint: true }).catch(() => null);

const changed = (file: string) =>
  new FirmproofError('slot-readback-mismatch', `${file} is not what was verified: somebody else writes there`);

/** A link would lead to what somebody else can replace, or to the slot that runs. */
function requirePlain(file: string, stat: BigIntStats | null): BigIntStats {
  if (stat === null || !isPlain(stat)) throw changed(file);
  return stat;
}

const isPlain = (stat: BigIntStats) => stat.isFile() && stat.nlink === 1n;

/** One that is there keeps its mode: somebody has chosen it. */
function makeOpenDirectory(directory: string): void {
  const umask = process.umask(othersMayNotWrite);
  try {
    makeDirectory(directory);
  } finally {
    process.umask(umask);
  }
}

/** Opens the file of a slot, or a new one where something else is in its place. */
async function openSlot(file: string): Promise<FileHandle> {
  const stat = await statOf(file);
  if (stat !== null && !isPlain(stat)) await rm(file, { recursive: true });
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, readableByAll);
  // The umask does not count: the program that `current` leads to may run as another user.
  await handle.chmod(readableByAll);
  return handle;
}

/** The file as it was before its bytes were verified once more. @throws FirmproofError `slot-readback-mismatch` */
async function statOfVerified(file: string, image: ImageIdentity): Promise<BigIntStats> {
  const stat = requirePlain(file, await statOf(file));
  const found = await digestOf(file, Number(stat.size));
  if (found.digest !== image.digest || found.sizeBytes !== image.sizeBytes) throw changed(file);
  return stat;
}

/** Nobody can write to a file and leave the time of its last change as it was. */
const isSameContent = (verified: BigIntStats, now: BigIntStats | null): boolean =>
  now !== null &&
  isPlain(now) &&
  now.dev === verified.dev &&
  now.ino === verified.ino &&
  now.size === verified.size &&
  now.ctimeNs === verified.ctimeNs;
