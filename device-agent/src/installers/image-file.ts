import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FirmproofError, parseSha256Digest } from '@firmproof/protocol';
import { syncDirectory } from '@firmproof/protocol/node/atomic-file';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import type { ImageIdentity, ImageTarget } from './installer.ts';
import { readPastCache } from './read-past-cache.ts';

/** A file that takes an image, in a directory of the agent's own; what it holds of one already stays. */
export async function openImageFile(file: string, sizeBytes: number): Promise<ImageTarget> {
  makeDirectory(dirname(file), 0o700);
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  await handle.truncate(sizeBytes);
  await syncDirectory(dirname(file));
  return imageTargetOf(handle);
}

export function imageTargetOf(handle: FileHandle): ImageTarget {
  return {
    async read(buffer, position) {
      return (await handle.read(buffer, 0, buffer.length, position)).bytesRead;
    },
    async write(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** What the storage really holds, at most so many bytes of it. @throws FirmproofError `slot-unusable` */
export async function digestOf(path: string, sizeBytes: number): Promise<ImageIdentity> {
  const hash = createHash('sha256');
  let found = 0;
  try {
    for await (const chunk of readPastCache(path, sizeBytes)) {
      hash.update(chunk);
      found += chunk.length;
    }
  } catch (cause) {
    throw new FirmproofError('slot-unusable', `${path} cannot be read: ${String(cause)}`, { cause });
  }
  return { digest: parseSha256Digest(hash.digest('hex')), sizeBytes: found };
}
