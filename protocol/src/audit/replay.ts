import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { type Bytes32, bytes32Schema, fromHex, toHex, zeroBytes32 } from '../bytes.ts';
import { FirmproofError } from '../errors.ts';
import { productIdSchema } from '../names.ts';
import type { Entry } from './entry.ts';
import { decodeEntryBytes, entryBytes, type HistoryEvent } from './event.ts';

/** Where a replay stands: enough to go on from, in a file or in another process. */
export const checkpointSchema = z.object({
  /** null before the first entry. */
  product: productIdSchema.nullable(),
  sequence: z
    .int()
    .min(0)
    .max(2 ** 48 - 1),
  history: bytes32Schema,
  /** The block that carries the entry `sequence`; 0 before the first. */
  lastBlock: z
    .int()
    .min(0)
    .max(2 ** 40 - 1),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

const beginning: Checkpoint = { product: null, sequence: 0, history: zeroBytes32, lastBlock: 0 };

/**
 * Replays the entries of one product, oldest first, into the history hash that storage holds (V3; release.md R6.4). One hash
 * an entry, and nothing kept but the last one: a history of any length takes the same memory.
 */
export class Replay {
  #product: string | null;
  #sequence: number;
  #history: Uint8Array;
  #lastBlock: number;
  readonly #remember: ReadonlySet<number>;
  readonly #remembered = new Map<number, Bytes32>();

  /**
   * @param from where an earlier replay stood; the beginning by default
   * @param remember the sequences that will be asked for with `at`, as those of proofs at several blocks
   */
  constructor(from: Checkpoint = beginning, remember: Iterable<number> = []) {
    this.#product = from.product;
    this.#sequence = from.sequence;
    this.#history = fromHex(from.history);
    this.#lastBlock = from.lastBlock;
    this.#remember = new Set(remember);
    if (this.#remember.has(from.sequence)) this.#remembered.set(from.sequence, from.history);
  }

  /** The number of the last entry that was taken; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The history hash after the last entry that was taken. */
  get history(): Bytes32 {
    return toHex(this.#history) as Bytes32;
  }

  /**
   * Takes the next entry. It has to follow on the one before: in number, and in the block that it names as the one before (V2).
   * @throws FirmproofError `history-incomplete` with `details.sequence`, the first entry that is missing or comes twice;
   * `entry-malformed` for one that the registry did not log, or that is said to be in a block where it is not
   */
  take(entry: Entry): HistoryEvent {
    const expected = this.#sequence + 1;
    if (entry.sequence !== expected) throw outOfOrder(expected, entry.sequence);
    const bytes = entryBytes(entry);
    const event = decodeEntryBytes(entry, bytes);
    this.#requireItsPlace(event);
    this.#history = keccak_256(concatBytes(this.#history, bytes));
    this.#product = event.product;
    this.#sequence = expected;
    this.#lastBlock = event.block.number;
    if (this.#remember.has(expected)) this.#remembered.set(expected, this.history);
    return event;
  }

  #requireItsPlace(event: HistoryEvent): void {
    const wrong = (why: string) =>
      new FirmproofError('entry-malformed', `entry ${event.sequence} ${why}`, {
        details: { sequence: event.sequence },
      });
    if ((event.kind === 'registered') !== (event.sequence === 1))
      throw wrong('is not the registration, or is it twice');
    if (this.#product !== null && event.product !== this.#product) throw wrong('is of another product');
    if (event.previousBlock !== this.#lastBlock) {
      throw wrong(
        `names block ${event.previousBlock} as the one before it, not ${this.#lastBlock} where that is said to be`,
      );
    }
    if (event.block.number < this.#lastBlock)
      throw wrong(`is said to be in block ${event.block.number}, before the last`);
  }

  /** The history hash after an entry that was to be remembered, or after the last one; null for all others. */
  at(sequence: number): Bytes32 | null {
    return sequence === this.#sequence ? this.history : (this.#remembered.get(sequence) ?? null);
  }

  checkpoint(): Checkpoint {
    const product = this.#product === null ? null : productIdSchema.parse(this.#product);
    return { product, sequence: this.#sequence, history: this.history, lastBlock: this.#lastBlock };
  }
}

function outOfOrder(expected: number, found: number): FirmproofError {
  const twice = found < expected;
  const sequence = twice ? found : expected;
  const missing = found - 1 === expected ? `entry ${expected} is` : `entries ${expected} to ${found - 1} are`;
  return new FirmproofError('history-incomplete', twice ? `entry ${found} comes twice` : `${missing} missing`, {
    details: { sequence },
  });
}
