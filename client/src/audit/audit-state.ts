import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { blockStatementSchema, bytes32Schema, FirmproofError } from '@firmproof/protocol';
import { decodeEntry, type Entry, type ProductPlace } from '@firmproof/protocol/audit';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { takeLock } from '@firmproof/protocol/node/lock-file';
import { z } from 'zod';
import { decodeEntryRecord, encodeEntry } from './entry-record.ts';
import { Sidecar } from './sidecar.ts';
import { Spool } from './spool.ts';

const checkpointSchema = z.object({
  stateVersion: z.literal(1),
  place: z.string(),
  sequence: z.int().min(0),
  history: bytes32Schema,
  /** How much of the archive counts. */
  bytes: z.int().min(0),
  block: blockStatementSchema,
});
/** What an earlier audit has proved to be complete. */
export type AuditCheckpoint = Omit<z.infer<typeof checkpointSchema>, 'stateVersion' | 'place' | 'bytes'>;

/** A stretch of the way back: entries without a gap, newest first. */
export class Segment {
  readonly file: string;
  readonly spool: Spool;
  readonly top: number;
  #bottom: Entry | null = null;
  #topBlock = 0;

  constructor(file: string) {
    this.file = file;
    this.top = Number(/(\d+)\.walk$/.exec(basename(file))?.[1]);
    this.spool = Spool.open(file);
    const [first] = this.spool.forwards();
    const [last] = this.spool.backwards();
    if (first && last) {
      this.#topBlock = decodeEntryRecord(first).block.number;
      this.#bottom = decodeEntryRecord(last);
    }
  }

  get isEmpty(): boolean {
    return this.#bottom === null;
  }

  /** The block of its newest entry. */
  get topBlock(): number {
    return this.#topBlock;
  }

  /** Where the way goes on below it. */
  get next(): { readonly sequence: number; readonly block: number } {
    if (this.#bottom === null) throw new Error('an empty segment leads nowhere');
    return { sequence: this.#bottom.sequence - 1, block: decodeEntry(this.#bottom).previousBlock };
  }

  /** Takes entries that follow on downwards; `entries` is oldest first. */
  push(entries: readonly Entry[]): void {
    for (const entry of entries.toReversed()) {
      this.spool.append(encodeEntry(entry));
      if (this.#bottom === null) this.#topBlock = entry.block.number;
      this.#bottom = entry;
    }
  }

  *oldestFirst(): Generator<Entry, void> {
    for (const record of this.spool.backwards()) yield decodeEntryRecord(record);
  }

  remove(): void {
    this.spool.close();
    rmSync(this.file, { force: true });
  }
}

/**
 * What an audit keeps on disk: the archive of entries that were proved to be complete, and the stretches of a way back that is not
 * finished. Killed at any moment, the next audit goes on from there. Nothing in it is believed: all of it is replayed against the
 * proof again. One directory for each product of each registry of each chain.
 */
export class AuditState {
  readonly directory: string;
  readonly archive: Spool;
  /** What was fetched for entries: texts by sequence. */
  readonly transactions: Sidecar;
  readonly attestations: Sidecar;
  /** Rebuilds that count now, or those that a file has brought: nothing that the next audit goes by. */
  readonly rebuilds: Sidecar;
  checkpoint: AuditCheckpoint | null;
  readonly #place: string;
  readonly #release: () => void;
  #segments: Segment[];
  /** How much of the archive is proved. */
  #bytes: number;
  #isAside = false;

  private constructor(directory: string, place: string, release: () => void) {
    this.directory = directory;
    this.#place = place;
    this.#release = release;
    const kept = readCheckpoint(join(directory, 'checkpoint.json'), place);
    this.checkpoint = kept && { sequence: kept.sequence, history: kept.history, block: kept.block };
    this.#bytes = kept?.bytes ?? 0;
    this.archive = Spool.open(join(directory, 'entries'), this.#bytes);
    this.transactions = new Sidecar(join(directory, 'transactions'));
    this.attestations = new Sidecar(join(directory, 'attestations'));
    this.rebuilds = new Sidecar(join(directory, 'rebuilds'));
    this.rebuilds.clear();
    const segments = globSync('*.walk', { cwd: directory }).map((name) => new Segment(join(directory, name)));
    const isUseless = (segment: Segment) => segment.isEmpty || segment.top <= (kept?.sequence ?? 0);
    for (const segment of segments.filter(isUseless)) segment.remove();
    this.#segments = segments.filter((segment) => !isUseless(segment)).sort((one, other) => other.top - one.top);
  }

  /** @throws FirmproofError `audit-busy` while another audit of the same product works here */
  static open(parent: string, { chainId, registry, product }: ProductPlace): AuditState {
    const place = `${chainId}-${registry}-${product}`;
    const directory = join(parent, place);
    makeDirectory(directory, 0o700);
    const lock = takeLock(join(directory, 'lock'));
    if ('owner' in lock)
      throw new FirmproofError('audit-busy', `process ${lock.owner} audits the same product in ${parent}`);
    return new AuditState(directory, place, lock.release);
  }

  /** Stretches of the way back that are here already, the newest first. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  segmentFrom(top: number): Segment {
    const segment = new Segment(join(this.directory, `${top}.walk`));
    this.#segments = [...this.#segments, segment].sort((one, other) => other.top - one.top);
    return segment;
  }

  /** Archive and segments, oldest first. */
  *entries(): Generator<Entry, void> {
    if (!this.#isAside) yield* this.archived();
    for (const segment of this.#segments.toReversed()) yield* segment.oldestFirst();
  }

  *archived(): Generator<Entry, void> {
    for (const record of this.archive.forwards()) yield decodeEntryRecord(record);
  }

  /** The next entry where they come oldest first; it counts once `commit` has been called. */
  take(entry: Entry): void {
    this.archive.append(encodeEntry(entry));
  }

  /** Makes what was walked, and proved since, the archive, or its newest part. */
  async commit(checkpoint: AuditCheckpoint): Promise<void> {
    const file = join(this.directory, 'checkpoint.json');
    if (this.#isAside) {
      rmSync(file, { force: true });
      this.archive.cut();
      this.transactions.clear();
      this.attestations.clear();
      this.#isAside = false;
    }
    for (const segment of this.#segments.toReversed())
      for (const entry of segment.oldestFirst()) this.archive.append(encodeEntry(entry));
    this.archive.sync();
    this.#bytes = this.archive.size;
    const content = { stateVersion: 1, place: this.#place, ...checkpoint, bytes: this.#bytes };
    await writeFileAtomically(file, `${JSON.stringify(content)}\n`);
    this.checkpoint = checkpoint;
    this.dropSegments();
  }

  drop(segment: Segment): void {
    segment.remove();
    this.#segments = this.#segments.filter((candidate) => candidate !== segment);
  }

  dropSegments(): void {
    for (const segment of this.#segments) this.drop(segment);
  }

  /** Forgets what was taken since the last commit. */
  rewind(): void {
    this.archive.cut(this.#bytes);
    this.dropSegments();
  }

  /** Leaves the archive out, as if it were not there: for good once something else is committed, and only until then. */
  setAside(): void {
    this.rewind();
    this.checkpoint = null;
    this.#isAside = true;
  }

  close(): void {
    for (const { spool } of this.#segments) spool.close();
    this.archive.close();
    this.transactions.close();
    this.attestations.close();
    this.rebuilds.close();
    this.#release();
  }
}

/** null for none, and for one that is of something else or cannot be read: everything can be had again. */
function readCheckpoint(file: string, place: string) {
  if (!existsSync(file)) return null;
  try {
    const { stateVersion, place: of, ...kept } = checkpointSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return of === place ? kept : null;
  } catch {
    return null;
  }
}
