import { isFirmproofError, type ProductId, type StoredReceipt } from '@firmproof/protocol';
import { verifyStoredReceipt } from '@firmproof/protocol/node/stored-receipt';
import type { UpdateFacts } from './facts.ts';

export type VerifiedUpdates = {
  readonly updates: readonly UpdateFacts[];
  /** Receipts whose signature does not hold, or that two devices have signed with one key: they count for nothing. */
  readonly dismissed: number;
};

/** What devices have signed of the releases that they were given; each signature is verified here (S3.8). */
export async function verifiedUpdates(
  receipts: AsyncIterable<StoredReceipt>,
  product: ProductId,
  onReceipt: (done: number) => void = () => undefined,
): Promise<VerifiedUpdates> {
  const updates: UpdateFacts[] = [];
  let dismissed = 0;
  for await (const stored of receipts) {
    const update = stored.cloneSuspected ? null : await updateOf(stored, product);
    if (update === null) dismissed += 1;
    else updates.push(update);
    onReceipt(updates.length + dismissed);
  }
  return { updates, dismissed };
}

async function updateOf(stored: StoredReceipt, product: ProductId): Promise<UpdateFacts | null> {
  try {
    const { device, counter, time, outcome } = verifyStoredReceipt(stored, product);
    if (outcome === undefined) return null;
    const { result, version, image, before } = outcome;
    return { device, keyDigest: stored.keyDigest, counter, at: time, result, version, image, before };
  } catch (error) {
    if (isFirmproofError(error)) return null;
    throw error;
  }
}
