import { type Bytes32, FirmproofError, parseJson } from '@firmproof/protocol';
import {
  checkpointSchema,
  type Entry,
  entrySchema,
  type Finding,
  type HistoryEvent,
  ProductHistory,
  Replay,
} from '@firmproof/protocol/audit';
import type { z } from 'zod';
import type { WatchedProduct } from '../config.ts';
import type { MonitorState } from '../state.ts';

/** An event that has just been learnt, and what the model says of it. */
export type LearntEvent = {
  readonly event: HistoryEvent;
  readonly entry: Entry;
  /** History hash after it. */
  readonly history: Bytes32;
  /** Who had to approve it; null where nobody had to. */
  readonly approver: string | null;
  readonly findings: readonly Finding[];
};

/** Findings that say how things are, until an event says otherwise. */
const lastingCodes = ['configuration-pending', 'channel-halted', 'head-revoked'] as const;
type LastingCode = (typeof lastingCodes)[number];
export const isLasting = (finding: Finding): boolean => (lastingCodes as readonly string[]).includes(finding.code);

const maximumEntryBytes = 8192;

/** One product's history as it was replayed: in memory as a model, in the state as entries. */
export class FollowedProduct {
  readonly watched: WatchedProduct;
  readonly history = new ProductHistory();
  readonly #replay: Replay;
  readonly #latest = new Map<string, Finding>();
  /** Up to this event everything was there when the monitor came. null before the first complete look. */
  baseline: number | null;

  private constructor(watched: WatchedProduct, baseline: number | null) {
    this.watched = watched;
    this.baseline = baseline;
    this.#replay = new Replay();
  }

  /** What the state holds of it. @throws FirmproofError `monitor-state-damaged` */
  static load({ database }: MonitorState, watched: WatchedProduct): FollowedProduct {
    const row = database.prepare('select checkpoint, baseline from products where product = ?').get(watched.product);
    const followed = new FollowedProduct(watched, row ? Number(row['baseline']) : null);
    if (!row) return followed;
    const rows = database.prepare('select entry from entries where product = ? order by sequence');
    for (const { entry } of rows.iterate(watched.product)) followed.learn([readStored(entry, entrySchema)]);
    const { sequence, history } = readStored(row['checkpoint'], checkpointSchema);
    if (sequence === followed.sequence && history === followed.historyHash) return followed;
    throw new FirmproofError(
      'monitor-state-damaged',
      `the entries of ${watched.product} are not those that were replayed`,
    );
  }

  get sequence(): number {
    return this.#replay.sequence;
  }

  get historyHash(): Bytes32 {
    return this.#replay.history;
  }

  get replayed(): Replay {
    return this.#replay;
  }

  get name(): string {
    return this.watched.label ?? (this.sequence === 0 ? this.watched.product.slice(0, 14) : this.history.name);
  }

  /**
   * Takes entries that follow on what is known. In memory only: whoever calls writes them down, or forgets this object.
   * @throws FirmproofError `history-incomplete`, `entry-malformed`
   */
  learn(entries: readonly Entry[]): readonly LearntEvent[] {
    return entries.map((entry) => {
      const event = this.#replay.take(entry);
      const approver = this.history.approverOf(event);
      const findings = this.history.apply(event);
      for (const finding of findings) {
        if (isLasting(finding)) this.#latest.set(subjectOf(finding.code, finding.channel), finding);
      }
      return { event, entry, history: this.#replay.history, approver, findings };
    });
  }

  /** What lasts now. */
  lasting(): readonly Finding[] {
    if (this.sequence === 0) return [];
    const { pending, channels, releases } = this.history;
    const wanted: (readonly [LastingCode, string?])[] = pending === null ? [] : [['configuration-pending']];
    for (const { channel, version, halted } of channels.values()) {
      if (halted) wanted.push(['channel-halted', channel]);
      if (releases.get(version)?.revoked) wanted.push(['head-revoked', channel]);
    }
    return wanted
      .map(([code, channel]) => this.#latest.get(subjectOf(code, channel)))
      .filter((finding) => finding !== undefined);
  }

  /** Within a transaction of the caller. `baseline`: where it is set for the first time. */
  store(
    { database }: MonitorState,
    learnt: readonly LearntEvent[],
    needsApproval: (event: LearntEvent) => boolean,
  ): void {
    const { product } = this.watched;
    const insert = database.prepare(
      'insert into entries (product, sequence, entry, history, approver, approval) values (?, ?, ?, ?, ?, ?)',
    );
    for (const one of learnt) {
      const { entry, history, approver } = one;
      const approval = needsApproval(one) ? 'open' : 'unasked';
      insert.run(product, entry.sequence, JSON.stringify(entry), history, approver, approval);
    }
    database
      .prepare(
        `insert into products (product, checkpoint, baseline) values (?, ?, ?)
         on conflict do update set checkpoint = excluded.checkpoint`,
      )
      .run(product, JSON.stringify(this.#replay.checkpoint()), this.baseline ?? 0);
  }

  /** The history hash after an event that is known; null for others. */
  historyAt({ database }: MonitorState, sequence: number): Bytes32 | null {
    const row = database
      .prepare('select history from entries where product = ? and sequence = ?')
      .get(this.watched.product, sequence);
    return row ? (String(row['history']) as Bytes32) : null;
  }
}

const subjectOf = (code: string, channel: string | undefined) => `${code} ${channel ?? ''}`;

const readStored = <Schema extends z.ZodType>(text: unknown, schema: Schema): z.output<Schema> =>
  parseJson(String(text), schema, {
    code: 'monitor-state-damaged',
    maximumBytes: maximumEntryBytes,
    what: 'a row of the state',
  });
