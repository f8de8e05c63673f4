import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import {
  bytes32Schema,
  type DeviceCode,
  envelopeSchema,
  isDeviceCode,
  isErrorCode,
  productIdSchema,
  sha256DigestSchema,
  versionSchema,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import * as z from 'zod';
import { aboutReleaseSchema } from './about-release.ts';
import { readDataFile } from './data-directory.ts';
import { states } from './machine/transitions.ts';
import { noOutcomes, outcomesSchema } from './receipts/outcomes.ts';

export const slotNames = ['a', 'b'] as const;
export type SlotName = (typeof slotNames)[number];

const targetSchema = z.object({
  version: versionSchema,
  image: sha256DigestSchema,
  rollbackIndex: z.int(),
  sizeBytes: z.int(),
  /** The head's counter: promoting again makes a failed release worth another try. */
  headCounter: z.int(),
  slot: z.enum(slotNames),
  previousSlot: z.enum(slotNames).nullable(),
  about: aboutReleaseSchema.optional().catch(undefined),
});

/** A code that this agent does not know comes from one of another age. */
const deviceCodeSchema = z
  .string()
  .transform((code): DeviceCode => (isErrorCode(code) && isDeviceCode(code) ? code : 'health-check-failed'));

const failureSchema = z.object({
  code: deviceCodeSchema,
  message: z.string(),
  /** Whether the image had been made the one that runs. */
  wasActivated: z.boolean(),
});
export type Failure = z.infer<typeof failureSchema>;

const failedSchema = z.object({
  version: versionSchema.nullable().default(null),
  image: sha256DigestSchema,
  headCounter: z.int(),
  code: deviceCodeSchema.default('health-check-failed'),
  reason: z.string(),
});

const journalSchema = z.object({
  state: z.enum(states),
  target: targetSchema.nullable(),
  /** Null while the image on trial does not run yet. */
  trialDeadlineSeconds: z.number().nullable(),
  /** The last boot that the trial has seen, and how many of the new image. */
  trialBoot: z.object({ bootId: z.string(), uptimeSeconds: z.number(), boots: z.int() }).nullable().default(null),
  /** Why it is rolled back, or has failed. */
  failure: failureSchema.nullable().default(null),
  installed: z.object({
    version: versionSchema,
    image: sha256DigestSchema.nullable(),
    about: aboutReleaseSchema.optional().catch(undefined),
  }),
  rollbackFloor: z.int(),
  /** `product`: whose history it is; another place's starts anew. */
  lastProven: z
    .object({
      sequence: z.int(),
      history: bytes32Schema,
      product: productIdSchema.optional(),
      /** Timestamp of the newest block that was proved here. */
      blockSeconds: z.int().default(0),
      block: z.object({ number: z.int(), hash: bytes32Schema }).optional(),
    })
    .nullable(),
  /** `silentSeconds`: device time since evidence last verified. */
  time: z.object({
    seconds: z.number(),
    bootId: z.string(),
    uptimeSeconds: z.number(),
    silentSeconds: z.number().default(0),
    /** What time would be without its last jumps of more than a day, since when and to where; null once nobody doubts them. */
    doubt: z
      .object({ seconds: z.number(), heldSeconds: z.number(), jumpedToSeconds: z.number() })
      .nullable()
      .default(null),
    /** A build time that turned out to be wrong (D40): it counts no more. */
    wrongBuildTimeSeconds: z.number().nullable().default(null),
  }),
  /** The newest trust root that this device has adopted; null while that is the image's own. */
  trustRoot: envelopeSchema.nullable(),
  /** What let it adopt that one: the chain named it, or nothing had verified for 90 days. */
  trustRootGrounds: z.enum(['chain', 'silence']).nullable().default(null),
  outcomes: outcomesSchema.default(noOutcomes),
  /** Versions that are not tried again before the vendor promotes again. */
  failed: z.array(failedSchema).max(16),
  /** When `run` asks next, in trusted time, and how often in a row it asked for nothing. */
  nextCheck: z
    .object({
      dueSeconds: z.number(),
      bootId: z.string(),
      retries: z.object({ code: z.string().nullable(), count: z.int().min(0) }),
    })
    .nullable()
    .default(null),
  lastVerdict: z.object({ outcome: z.string(), code: z.string().optional(), message: z.string() }).nullable(),
  /** What the last verdict without an update was, and since when there has been no other. */
  standing: z.object({ code: z.string(), sinceSeconds: z.number() }).nullable().default(null),
});

export type JournalEntry = z.infer<typeof journalSchema>;
export type InstallTarget = z.infer<typeof targetSchema>;

/** The agent's memory: one document, replaced atomically, with the entry before it kept beside. */
export class Journal {
  entry: JournalEntry;
  /** A damaged journal: where it was put aside or, where this only looks, where it still is. */
  readonly recoveredFrom: string | null;
  readonly #file: string;
  readonly #previousFile: string;

  private constructor(file: string, previousFile: string, entry: JournalEntry, recoveredFrom: string | null) {
    this.#file = file;
    this.#previousFile = previousFile;
    this.entry = entry;
    this.recoveredFrom = recoveredFrom;
  }

  /**
   * Opens the journal, or starts from `first` on a device that has none. A damaged one never stops the agent; one that cannot
   * be read is not damaged.
   * @throws FirmproofError `data-unreadable`
   */
  static async open(dataDirectory: string, first: JournalEntry): Promise<Journal> {
    const { file, previousFile, current, entry } = entriesOf(dataDirectory, first);
    if (current !== 'damaged' && current !== null) return new Journal(file, previousFile, current, null);
    const journal = new Journal(file, previousFile, entry, current === 'damaged' ? putAside(file) : null);
    await journal.write({});
    return journal;
  }

  /** The same to look at: nothing is put aside or written. @throws FirmproofError `data-unreadable` */
  static view(dataDirectory: string, first: JournalEntry): Journal {
    const { file, previousFile, current, entry } = entriesOf(dataDirectory, first);
    return new Journal(file, previousFile, entry, current === 'damaged' ? file : null);
  }

  /** Changes the entry; when it returns, the change is on disk. */
  async write(change: Partial<JournalEntry>): Promise<void> {
    const entry = { ...this.entry, ...change };
    entry.standing = standingAfter(entry, this.entry);
    const content = JSON.stringify(journalSchema.parse(entry));
    if (existsSync(this.#file)) await writeFileAtomically(this.#previousFile, readFileSync(this.#file));
    await writeFileAtomically(this.#file, JSON.stringify({ checksum: checksumOf(content), content }));
    this.entry = entry;
  }
}

/** That an update is proven ends no standstill: people may hold it back right afterwards. Another version that runs ends it. */
function standingAfter(entry: JournalEntry, before: JournalEntry): JournalEntry['standing'] {
  const { lastVerdict, standing, time, installed } = entry;
  const code = lastVerdict?.code;
  const goesOn = code === standing?.code && installed.version === before.installed.version;
  return code === undefined || goesOn ? standing : { code, sinceSeconds: time.seconds };
}

function checksumOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Both files are read before anything is made of either. */
function entriesOf(dataDirectory: string, first: JournalEntry) {
  const file = join(dataDirectory, 'journal.json');
  const previousFile = join(dataDirectory, 'journal.previous.json');
  const current = readEntry(file);
  const previous = readEntry(previousFile);
  const newest = [current, previous].find((entry) => entry !== null && entry !== 'damaged');
  return { file, previousFile, current, entry: newest ?? first };
}

function readEntry(file: string): JournalEntry | null | 'damaged' {
  const text = readDataFile(file);
  if (text === null) return null;
  try {
    const { checksum, content } = z.object({ checksum: z.string(), content: z.string() }).parse(JSON.parse(text));
    return checksum === checksumOf(content) ? journalSchema.parse(JSON.parse(content)) : 'damaged';
  } catch {
    return 'damaged';
  }
}

function putAside(file: string): string {
  let number = 1;
  while (existsSync(file.replace(/\.json$/, `.corrupt-${number}.json`))) number += 1;
  const aside = file.replace(/\.json$/, `.corrupt-${number}.json`);
  renameSync(file, aside);
  return aside;
}
