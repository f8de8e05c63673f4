import type { Bytes32 } from '../bytes.ts';
import type { Entry } from './entry.ts';

/** What a replay has come to. `Replay` is one. */
export type Replayed = {
  readonly sequence: number;
  readonly history: Bytes32;
  /** The history hash after that entry; null where it was not kept. */
  at(sequence: number): Bytes32 | null;
};

export type HistoryVerdict =
  | { readonly complete: true }
  | {
      readonly complete: false;
      /** One line for people: what is the first thing that is not as it is proven. */
      readonly firstDifference: string;
      /** The first entry that is missing, or the last of those of which one was changed. */
      readonly sequence: number;
    };

/**
 * Compares a replay with the history that storage proves (V6). Entries after the proven ones say nothing against it: the proof
 * is then of an older block.
 */
export function compareHistories(
  replayed: Replayed,
  proven: { readonly sequence: number; readonly history: Bytes32 },
): HistoryVerdict {
  const { sequence } = proven;
  if (replayed.sequence < sequence) {
    const first = replayed.sequence + 1;
    const missing = first === sequence ? `entry ${first} is` : `entries ${first} to ${sequence} are`;
    return { complete: false, firstDifference: `${missing} missing`, sequence: first };
  }
  const history = replayed.at(sequence);
  if (history === proven.history) return { complete: true };
  const firstDifference =
    history === null
      ? `nothing is known of the history at entry ${sequence}, which is proven: replay it again`
      : `${changed(sequence)} to ${short(history)}, storage holds ${short(proven.history)}`;
  return { complete: false, firstDifference, sequence };
}

/** Which one it was cannot be told from the hash. */
const changed = (sequence: number) =>
  sequence === 1 ? 'entry 1 was changed: it replays' : `some entry from 1 to ${sequence} was changed: they replay`;
const short = (hash: Bytes32) => `${hash.slice(0, 10)}…`;

/** What differs first between what two carriers say is one entry; null where they say the same. */
export function describeDifference(one: Entry, other: Entry): string | null {
  const parts: readonly (readonly [string, boolean])[] = [
    ['number', one.sequence !== other.sequence],
    ['topics', one.topics.some((topic, index) => topic !== other.topics[index])],
    ['data', one.data !== other.data],
    ['block', one.block.number !== other.block.number || one.block.hash !== other.block.hash],
    ['transaction', one.transaction !== other.transaction],
  ];
  const different = parts.find(([, differs]) => differs);
  return different === undefined ? null : `entry ${one.sequence}: the ${different[0]} differs`;
}
