import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const chunkBytes = 1024 * 1024;
const pageBytes = 4096;
/** malloc aligns to this at least, so one of the steps is where a page begins. */
const alignmentStepBytes = 16;

/**
 * Reads the first bytes of a file or device, past the page cache where the kernel can: what comes is then what the storage
 * holds, not what was meant to be written (docs/spec/device.md I2). Ends early where there are fewer bytes.
 */
export async function* readPastCache(path: string, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const direct = await openDirect(path);
  const { handle, buffer } = direct ?? { handle: await open(path, 'r'), buffer: Buffer.alloc(chunkBytes) };
  try {
    for (let position = 0; position < sizeBytes; ) {
      // Whole pages are asked for, even where the image ends before: the kernel takes nothing else past its cache.
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, Math.min(bytesRead, sizeBytes - position));
      position += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

type DirectFile = { readonly handle: FileHandle; readonly buffer: Buffer };

/** Null where the file system, as tmpfs in older kernels, has no such reading. */
async function openDirect(path: string): Promise<DirectFile | null> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECT).catch(() => null);
  if (handle === null) return null;
  const buffer = await alignedBuffer(handle);
  if (buffer) return { handle, buffer };
  await handle.close();
  return null;
}

/** JavaScript cannot see where a buffer lies in memory; the kernel refuses one that does not lie right. */
async function alignedBuffer(handle: FileHandle): Promise<Buffer | null> {
  const memory = Buffer.allocUnsafeSlow(chunkBytes + pageBytes);
  for (let start = 0; start < pageBytes; start += alignmentStepBytes) {
    const buffer = memory.subarray(start, start + chunkBytes);
    const taken = await handle.read(buffer, 0, pageBytes, 0).then(
      () => true,
      () => false,
    );
    if (taken) return buffer;
  }
  return null;
}
