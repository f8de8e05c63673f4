import { join } from 'node:path';
import { FirmproofError, isFirmproofError, parseJson, sha256DigestSchema } from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import * as z from 'zod';
import { readDataFile } from '../data-directory.ts';
import { type SlotName, slotNames } from '../journal.ts';
import { otherSlot } from './boot-selection.ts';
import { commandReceiver } from './command.ts';
import type { CommandConfig } from './config.ts';
import { handOver, requireSuccess } from './hand-over.ts';
import { digestOf, openImageFile } from './image-file.ts';
import type { Installer } from './installer.ts';
import { runProgram } from './program.ts';

const recordSchema = z.object({
  running: z.enum(slotNames).nullable(),
  /** What was handed over, so that it can be handed over again. */
  images: z.partialRecord(z.enum(slotNames), z.object({ digest: sha256DigestSchema, sizeBytes: z.int() })),
  /** The place holds all of what runs: no program has been started since that may have written a part of another image. */
  isWhole: z.boolean().default(false),
});
type InstalledRecord = z.infer<typeof recordSchema>;

/**
 * A command on a device with one place for the image. The image before stays staged beside the new one: to roll back is to
 * install it again, unless there is a command for that.
 */
export function createInPlaceInstaller(config: CommandConfig): Installer {
  const { directory, rollBack: goBack } = config;
  const fileOf = (slot: SlotName) => join(directory, `${slot}.image`);
  const recordFile = join(directory, 'installed.json');
  const read = (): InstalledRecord => {
    const text = readDataFile(recordFile);
    if (text === null) return { running: null, images: {}, isWhole: true };
    return parseJson(text, recordSchema, {
      code: 'running-slot-unknown',
      what: recordFile,
      maximumBytes: 4096,
    });
  };
  const write = (record: InstalledRecord) => writeFileAtomically(recordFile, JSON.stringify(record));

  return {
    kind: config.kind,
    running: async () => read().running,
    async idle() {
      const { running } = read();
      return running === null ? 'a' : otherSlot(running);
    },
    open: (slot, sizeBytes) => openImageFile(fileOf(slot), sizeBytes),
    readBack: (slot, sizeBytes) => digestOf(fileOf(slot), sizeBytes),
    async activate(slot, image) {
      const before = read();
      if (before.running === slot) return 'running';
      try {
        await handOver({ file: fileOf(slot), ...image }, commandReceiver(config, slot), () =>
          write({ ...before, isWhole: false }),
        );
      } catch (error) {
        if (isFirmproofError(error) && error.code === 'installer-not-started') await write(before);
        throw error;
      }
      await write({ running: slot, images: { ...before.images, [slot]: image }, isWhole: true });
      return 'running';
    },
    async confirm() {
      // There is no boot counter to clear: what was installed is all that there is.
    },
    /** I7. @throws FirmproofError `rollback-unavailable`, and what `handOver` throws */
    async rollBack(previous) {
      const record = read();
      // What was given up was never begun.
      if (record.isWhole && record.running === previous) return 'running';
      const image = previous === null ? undefined : record.images[previous];
      if (goBack) await runRollBack(goBack, config.environment);
      else if (previous === null || image === undefined)
        throw new FirmproofError('rollback-unavailable', 'no image was installed here before this one');
      else await handOver({ file: fileOf(previous), ...image }, commandReceiver(config, previous));
      await write({ ...record, running: previous, isWhole: true });
      return 'running';
    },
  };
}

async function runRollBack(
  { command, timeoutSeconds }: NonNullable<CommandConfig['rollBack']>,
  environment: CommandConfig['environment'],
): Promise<void> {
  requireSuccess(command, await runProgram(command, { timeoutSeconds, environment }));
}
