import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { FirmproofError } from '@firmproof/protocol';
import { environmentSelection, otherSlot } from './boot-selection.ts';
import type { BlockDevicesConfig } from './config.ts';
import { digestOf, imageTargetOf } from './image-file.ts';
import type { Installer } from './installer.ts';

/** Two partitions, of which the boot loader starts the one that its variables name (docs/spec/device.md I1 to I3). */
export function createBlockDevicesInstaller(config: BlockDevicesConfig): Installer {
  const { slots } = config;
  const selection = environmentSelection(config, { a: [slots.a], b: [slots.b] });
  return {
    ...selection,
    kind: config.kind,

    async idle() {
      return otherSlot(await selection.running());
    },

    async open(slot, sizeBytes) {
      const path = slots[slot];
      const handle = await openDevice(path);
      try {
        await requireRoom(handle, path, sizeBytes);
        return imageTargetOf(handle);
      } catch (error) {
        await handle.close();
        throw error;
      }
    },

    readBack: (slot, sizeBytes) => digestOf(slots[slot], sizeBytes),

    async activate(slot) {
      // After a power cut in the middle of it, the device may have been booted into the slot already.
      return (await selection.running()) === slot ? 'running' : selection.tryNext(slot);
    },
  };
}

/** I1. Exclusively: the kernel refuses a device that is mounted, so what runs is never written over. */
async function openDevice(path: string): Promise<FileHandle> {
  try {
    const exclusive = (await stat(path)).isBlockDevice() ? constants.O_EXCL : 0;
    return await open(path, constants.O_RDWR | exclusive);
  } catch (cause) {
    throw new FirmproofError('slot-unusable', `${path} cannot be written: ${String(cause)}`, { cause });
  }
}

/** The size of a device is not in its metadata: whether its last byte can be read says enough. */
async function requireRoom(handle: FileHandle, path: string, sizeBytes: number): Promise<void> {
  const { bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, sizeBytes - 1);
  if (bytesRead === 1) return;
  throw new FirmproofError('slot-too-small', `${path} is smaller than the ${sizeBytes} bytes of the image`);
}
