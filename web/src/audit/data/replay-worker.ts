import '../../jitless.ts';
import { type Bytes32, FirmproofError, isFirmproofError, type ProductId } from '@firmproof/protocol';
import { type Entry, type HistoryEvent, Replay } from '@firmproof/protocol/audit';
import { Carrier, entriesAPage } from './carrier.ts';
import { KeptEntries } from './kept-entries.ts';
import type { FromReplay, ToReplay } from './replay-messages.ts';

/** A history beyond this is no product's; a server that goes on giving entries is stopped. */
const maximumEntries = 500_000;

const tell = (message: FromReplay) => self.postMessage(message);

/** Replays the history of one product: one hash an entry, apart from the page, which stays alive meanwhile. */
class Replaying {
  readonly entries: Entry[] = [];
  readonly #product: ProductId;
  readonly #carrier: Carrier;
  readonly #kept: KeptEntries | null;
  readonly #hashes: Bytes32[] = [];
  #replay = new Replay();
  #keptUpTo = 0;

  constructor(product: ProductId, carrier: Carrier, kept: KeptEntries | null) {
    this.#product = product;
    this.#carrier = carrier;
    this.#kept = kept;
  }

  async run(): Promise<void> {
    await this.#takeKept();
    await this.more();
  }

  /** Each page is asked for while the one before it is replayed. */
  async more(): Promise<void> {
    let coming = this.#page(this.#replay.sequence);
    for (;;) {
      const { items } = await coming;
      // A page that is not full is the last: the server's own word for it is not asked.
      const more = items.length === entriesAPage;
      if (more) coming = this.#page(this.#replay.sequence + items.length);
      this.#take(items);
      if (!more) break;
      if (this.entries.length > maximumEntries)
        throw new FirmproofError('server-unreachable', `the history has more than ${maximumEntries} entries`);
    }
    tell({ tell: 'replayed', hashes: this.#hashes, keptUpTo: this.#keptUpTo });
  }

  #page(after: number): ReturnType<Carrier['history']> {
    const page = this.#carrier.history(this.#product, after);
    // Nobody waits for it yet; whoever does is told then.
    page.catch(() => undefined);
    return page;
  }

  async #takeKept(): Promise<void> {
    const kept = (await this.#kept?.read(this.#product).catch(() => [])) ?? [];
    try {
      for (let at = 0; at < kept.length; at += entriesAPage) this.#take(kept.slice(at, at + entriesAPage));
      this.#keptUpTo = kept.length;
    } catch {
      await this.forget();
      throw new FirmproofError(
        'internal',
        'what this browser has kept of the history is damaged, and was thrown away',
        {
          hint: 'Load the page again.',
        },
      );
    }
  }

  #take(page: readonly Entry[]): void {
    const events: HistoryEvent[] = [];
    for (const entry of page) {
      const event = this.#replay.take(entry);
      if (event.product !== this.#product)
        throw new FirmproofError('entry-malformed', `the server gives entries of another product, ${event.product}`);
      events.push(event);
      this.entries.push(entry);
      this.#hashes.push(this.#replay.history);
    }
    tell({ tell: 'events', events });
  }

  async keep(sequence: number): Promise<void> {
    for (let at = this.#keptUpTo; at < sequence; at += entriesAPage)
      await this.#kept?.add(this.#product, this.entries.slice(at, Math.min(at + entriesAPage, sequence)));
    this.#keptUpTo = Math.max(this.#keptUpTo, sequence);
  }

  forget = async () => this.#kept?.forget(this.#product);
}

let replaying: Replaying | undefined;

async function answer(message: ToReplay): Promise<void> {
  switch (message.ask) {
    case 'replay':
      replaying = new Replaying(message.product, new Carrier(message.server), await KeptEntries.open());
      return replaying.run();
    case 'more':
      return replaying?.more();
    case 'keep':
      return replaying?.keep(message.sequence).catch(() => undefined);
    case 'forget':
      return replaying?.forget().catch(() => undefined);
    case 'entries':
      return tell({ tell: 'entries', entries: replaying?.entries ?? [] });
  }
}

self.onmessage = ({ data }: MessageEvent<ToReplay>) => {
  answer(data).catch((error: unknown) => {
    const known = isFirmproofError(error);
    const message = error instanceof Error ? error.message : String(error);
    tell({
      tell: 'failed',
      code: known ? error.code : 'internal',
      message,
      hint: known ? error.hint : 'Load the page again.',
    });
  });
};
