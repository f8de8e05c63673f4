import {
  type Address,
  type Bytes32,
  type ErrorCode,
  FirmproofError,
  isFirmproofError,
  type ProductId,
} from '@firmproof/protocol';
import {
  type Entry,
  type Finding,
  type HistoryEvent,
  ProductHistory,
  settledFindings,
} from '@firmproof/protocol/audit';
import type { FromReplay, ToReplay } from './replay-messages.ts';

/** The events as far as they were replayed, folded into the product's model. */
export type Replayed = {
  readonly history: ProductHistory;
  /** In order; the entry `sequence` is at `sequence - 1`. */
  readonly events: readonly HistoryEvent[];
  /** Who had to approve each of them. */
  readonly approvers: readonly (Address | null)[];
  readonly findings: readonly Finding[];
  /** The history hash after each of them. */
  readonly hashes: readonly Bytes32[];
  /** How many of them this browser had from a visit before. */
  readonly kept: number;
  /** Why it went no further; null when it went to the end. */
  readonly failure: FirmproofError | null;
};

/** What a server can be blamed for, unlike being away. */
const lies: readonly ErrorCode[] = ['history-incomplete', 'entry-malformed'];

/** Replays a product's history in a worker; a history that breaks is a result, a server that is away is an error. */
export class HistoryReplay {
  readonly #worker = new Worker(new URL('./replay-worker.ts', import.meta.url), { type: 'module' });
  readonly #history = new ProductHistory();
  readonly #events: HistoryEvent[] = [];
  readonly #approvers: (Address | null)[] = [];
  readonly #findings: Finding[] = [];
  readonly #onProgress: (sequence: number) => void;
  #hashes: readonly Bytes32[] = [];
  #kept = 0;
  #failure: FirmproofError | null = null;

  constructor(onProgress: (sequence: number) => void) {
    this.#onProgress = onProgress;
  }

  /** @throws FirmproofError `server-unreachable`, `not-found` and what else the server answers */
  replay = (server: string, product: ProductId): Promise<Replayed> =>
    this.#replayed({ ask: 'replay', server, product });

  /** Asks for entries that came after the last ones. */
  more = (): Promise<Replayed> => (this.#failure ? Promise.resolve(this.#result()) : this.#replayed({ ask: 'more' }));

  keep = (sequence: number) => this.#ask({ ask: 'keep', sequence });
  forget = () => this.#ask({ ask: 'forget' });
  stop = () => this.#worker.terminate();

  async entries(): Promise<readonly Entry[]> {
    const told = await this.#answer({ ask: 'entries' }, (message) => message.tell === 'entries');
    return told.tell === 'entries' ? told.entries : [];
  }

  async #replayed(message: ToReplay): Promise<Replayed> {
    const told = await this.#answer(message, ({ tell }) => tell === 'replayed' || tell === 'failed');
    if (told.tell === 'replayed') {
      this.#hashes = told.hashes;
      this.#kept = told.keptUpTo;
    } else if (told.tell === 'failed') {
      const error = new FirmproofError(told.code, told.message, { hint: told.hint });
      if (!lies.includes(told.code)) throw error;
      this.#failure ??= error;
    }
    return this.#result();
  }

  #result(): Replayed {
    const [history, events, approvers] = [this.#history, this.#events, this.#approvers];
    const findings = settledFindings(this.#findings, history);
    return {
      ...{ history, events, approvers, findings },
      ...{ hashes: this.#hashes, kept: this.#kept, failure: this.#failure },
    };
  }

  #ask(message: ToReplay): void {
    this.#worker.postMessage(message);
  }

  #answer(message: ToReplay, isLast: (told: FromReplay) => boolean): Promise<FromReplay> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<FromReplay>) => {
        if (data.tell === 'events') this.#fold(data.events);
        if (isLast(data)) resolve(data);
      };
      this.#worker.onerror = () =>
        reject(new FirmproofError('internal', 'the part of these pages that replays did not load'));
      this.#ask(message);
    });
  }

  #fold(events: readonly HistoryEvent[]): void {
    for (const event of events) {
      if (this.#failure) return;
      try {
        const approver = event.sequence === 1 || this.#history.sequence > 0 ? this.#history.approverOf(event) : null;
        this.#findings.push(...this.#history.apply(event));
        this.#events.push(event);
        this.#approvers.push(approver);
      } catch (error) {
        if (!isFirmproofError(error)) throw error;
        this.#failure = error;
      }
    }
    this.#onProgress(this.#events.length);
  }
}
