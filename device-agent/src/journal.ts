import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  bytes32Schema,
  envelopeSchema,
  productIdSchema,
  reportSchema,
  sha256DigestSchema,
  versionSchema,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import * as z from 'zod';

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
  /** Whose release it is, and the server that its evidence came from: what became of it is reported there. */
  source: z.object({ product: productIdSchema, server: z.string() }).optional(),
});

/** What devices report is sent once; what could not be sent waits here, the oldest goes first (D16). */
const reportQueueSchema = z.object({
  counter: z.int(),
  waiting: z.array(z.object({ server: z.string(), report: reportSchema.omit({ device: true }) })).max(8),
  /** The failure that was reported last: the same one again is not told again. */
  lastFailure: z.string().nullable(),
});
export type ReportQueue = z.infer<typeof reportQueueSchema>;

const journalSchema = z.object({
  /** docs/spec/device.md D14 has the transitions. */
  state: z.enum(['idle', 'downloading', 'staged', 'activating', 'trial', 'rolling-back']),
  target: targetSchema.nullable(),
  trialDeadlineSeconds: z.number().nullable(),
  installed: z.object({ version: versionSchema, image: sha256DigestSchema.nullable() }),
  rollbackFloor: z.int(),
  /** `product`: whose history it is; another place's starts anew. */
  lastProven: z
    .object({
      sequence: z.int(),
      history: bytes32Schema,
      product: productIdSchema.optional(),
      /** Timestamp of the newest block that was proved here. */
      blockSeconds: z.int().default(0),
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
    /** A build time that turned out to be wrong (D17): it counts no more. */
    wrongBuildTimeSeconds: z.number().nullable().default(null),
  }),
  /** The newest trust root that this device has adopted; null while that is the image's own. */
  trustRoot: envelopeSchema.nullable(),
  /** What let it adopt that one: the chain named it, or nothing had verified for 90 days. */
  trustRootGrounds: z.enum(['chain', 'silence']).nullable().default(null),
  reports: reportQueueSchema.default({ counter: 0, waiting: [], lastFailure: null }),
  failed: z.array(z.object({ image: sha256DigestSchema, headCounter: z.int(), reason: z.string() })).max(16),
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
  /** Set when a damaged journal was found and put aside. */
  readonly recoveredFrom: string | null;
  readonly #file: string;
  readonly #previousFile: string;

  private constructor(file: string, previousFile: string, entry: JournalEntry, recoveredFrom: string | null) {
    this.#file = file;
    this.#previousFile = previousFile;
    this.entry = entry;
    this.recoveredFrom = recoveredFrom;
  }

  /** Opens the journal, or starts from `first` on a device that has none. A damaged one never stops the agent. */
  static async open(dataDirectory: string, first: JournalEntry): Promise<Journal> {
    const file = join(dataDirectory, 'journal.json');
    const previousFile = join(dataDirectory, 'journal.previous.json');
    const current = readEntry(file);
    if (current !== 'damaged' && current !== null) return new Journal(file, previousFile, current, null);
    const aside = current === 'damaged' ? putAside(file) : null;
    const previous = readEntry(previousFile);
    const entry = previous !== null && previous !== 'damaged' ? previous : first;
    const journal = new Journal(file, previousFile, entry, aside);
    await journal.write({});
    return journal;
  }

  /** Changes the entry; when it returns, the change is on disk. */
  async write(change: Partial<JournalEntry>): Promise<void> {
    const entry = { ...this.entry, ...change };
    entry.standing = standingAfter(entry);
    if (existsSync(this.#file)) await copyFile(this.#file, this.#previousFile);
    const content = JSON.stringify(journalSchema.parse(entry));
    await writeFileAtomically(this.#file, JSON.stringify({ checksum: checksumOf(content), content }));
    this.entry = entry;
  }
}

/** That an update is proven ends no standstill: people may hold it back right afterwards. */
function standingAfter({ lastVerdict, standing, time }: JournalEntry): JournalEntry['standing'] {
  const code = lastVerdict?.code;
  return code === undefined || code === standing?.code ? standing : { code, sinceSeconds: time.seconds };
}

function checksumOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

function readEntry(file: string): JournalEntry | null | 'damaged' {
  if (!existsSync(file)) return null;
  try {
    const { checksum, content } = z
      .object({ checksum: z.string(), content: z.string() })
      .parse(JSON.parse(readFileSync(file, 'utf8')));
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
