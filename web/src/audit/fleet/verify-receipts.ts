import {
  FleetTally,
  type FleetTimeline,
  isFirmproofError,
  type ProductId,
  type Receipt,
  type StoredReceipt,
  verifyStoredReceipt,
} from '@firmproof/protocol';
import type { Begin } from './fleet-reader.ts';

/** How long the page may stand still while signatures are verified. */
const sliceMilliseconds = 12;
/** Pages of receipts that a sample takes. */
const samplePages = 5;

/** What was looked at, and what came of it. */
export type Verified = {
  readonly scope: 'all' | 'sample';
  /** Receipts whose signatures hold, by their devices' keys. */
  readonly receipts: number;
  readonly devices: number;
  /** Receipts that count for nothing, by the reason. */
  readonly dismissed: ReadonlyMap<string, number>;
  /** Counted here, from those that hold. */
  readonly timeline: FleetTimeline;
};

type Source = {
  readonly product: ProductId;
  readonly receipts: (
    begin: Begin,
  ) => Promise<{ readonly items: readonly StoredReceipt[]; readonly next?: string | undefined }>;
};

type Options = {
  readonly scope: Verified['scope'];
  readonly onProgress: (verified: number) => void;
  readonly signal: AbortSignal;
};

/**
 * Verifies the signatures of receipts and counts what holds. A sample begins at a random place: who would forge some of them
 * does not know which are looked at.
 * @throws FirmproofError what the server answers; AbortError
 */
export async function verifyReceipts(source: Source, { scope, onProgress, signal }: Options): Promise<Verified> {
  const tally = new FleetTally();
  const dismissed = new Map<string, number>();
  let receipts = 0;
  let wrapped = false;
  let lastSlice = performance.now();
  const dismiss = (why: string) => dismissed.set(why, (dismissed.get(why) ?? 0) + 1);
  const pages = scope === 'all' ? Number.POSITIVE_INFINITY : samplePages;
  let begin: Begin = scope === 'all' ? {} : { from: someDevice() };
  for (let page = 0; page < pages; page += 1) {
    const { items, next } = await source.receipts(begin);
    for (const stored of items) {
      const receipt = holding(stored, source.product);
      if (typeof receipt === 'string') dismiss(receipt);
      else if (stored.cloneSuspected) dismiss('two devices have one key');
      else if (tally.take({ receipt, receivedAt: stored.receivedAt, keyDigest: stored.keyDigest })) receipts += 1;
      else dismiss('it was given before, or in another order');
      if (performance.now() - lastSlice > sliceMilliseconds) {
        onProgress(receipts);
        await new Promise((resolve) => setTimeout(resolve));
        signal.throwIfAborted();
        lastSlice = performance.now();
      }
    }
    signal.throwIfAborted();
    if (next === undefined) {
      if (scope === 'all' || wrapped) break;
      // Behind the last device comes the first.
      wrapped = true;
      begin = {};
    } else begin = { cursor: next };
  }
  return { scope, receipts, devices: tally.devices, dismissed, timeline: tally.timeline(source.product) };
}

/** The receipt, or why it counts for nothing. */
function holding(stored: StoredReceipt, product: ProductId): Receipt | string {
  try {
    return verifyStoredReceipt(stored, product);
  } catch (error) {
    return isFirmproofError(error) ? error.message : 'it cannot be read';
  }
}

/** At or before some device: keys' digests are spread evenly. */
function someDevice(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
