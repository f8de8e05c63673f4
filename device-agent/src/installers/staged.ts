import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SlotName } from '../journal.ts';
import { type BootSelection, otherSlot } from './boot-selection.ts';
import { handOver, type Receiver } from './hand-over.ts';
import { digestOf, openImageFile } from './image-file.ts';
import type { Installer } from './installer.ts';

/**
 * I4. An installer that stages the image in a file on the data partition and, when it is to be activated, hands it over to a
 * program that writes the slot.
 */
export function createStagedInstaller(options: {
  readonly kind: Installer['kind'];
  readonly directory: string;
  receiver(slot: SlotName): Receiver;
  readonly selection: BootSelection;
}): Installer {
  const { kind, directory, receiver, selection } = options;
  const fileOf = (slot: SlotName) => join(directory, `${slot}.image`);
  return {
    kind,
    running: selection.running,
    rollBack: selection.rollBack,
    idle: async () => otherSlot(await selection.running()),
    open: (slot, sizeBytes) => openImageFile(fileOf(slot), sizeBytes),
    readBack: (slot, sizeBytes) => digestOf(fileOf(slot), sizeBytes),
    async activate(slot, image) {
      // After a power cut in the middle of it: handed over again, it would be written over the slot that is left to fall back to.
      if ((await selection.running()) === slot) return 'running';
      await handOver({ file: fileOf(slot), ...image }, receiver(slot));
      return selection.tryNext(slot);
    },
    async confirm(slot) {
      await selection.confirm(slot);
      // The slot has it now; the data partition is small.
      await rm(fileOf(slot), { force: true });
    },
  };
}
