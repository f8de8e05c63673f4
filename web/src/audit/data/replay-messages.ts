import type { Bytes32, ErrorCode, ProductId } from '@firmproof/protocol';
import type { Entry, HistoryEvent } from '@firmproof/protocol/audit';

/** What the page asks of the worker that replays. */
export type ToReplay =
  | { readonly ask: 'replay'; readonly server: string; readonly product: ProductId }
  /** Ask for entries after the last ones. */
  | { readonly ask: 'more' }
  /** Entries up to this one were found to be the history: keep them in this browser. */
  | { readonly ask: 'keep'; readonly sequence: number }
  /** What was kept is not the history. */
  | { readonly ask: 'forget' }
  | { readonly ask: 'entries' };

/** What the worker tells. */
export type FromReplay =
  | { readonly tell: 'events'; readonly events: readonly HistoryEvent[] }
  | { readonly tell: 'replayed'; readonly hashes: readonly Bytes32[]; readonly keptUpTo: number }
  | { readonly tell: 'entries'; readonly entries: readonly Entry[] }
  | { readonly tell: 'failed'; readonly code: ErrorCode; readonly message: string; readonly hint: string };
