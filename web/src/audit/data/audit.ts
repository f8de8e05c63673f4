import {
  type FirmproofError,
  isFirmproofError,
  type ProductId,
  type ProductResource,
  type TrustRoot,
} from '@firmproof/protocol';
import type { Entry } from '@firmproof/protocol/audit';
import type { AuditSettings } from '../settings/settings.ts';
import { Carrier } from './carrier.ts';
import { judge, type Verdict } from './judge.ts';
import { type KnownPlace, placeOfProduct } from './place.ts';
import { HistoryReplay, type Replayed } from './replayed.ts';
import { gatherSightings, type Sightings } from './sightings.ts';

/** Everything that these pages know of a product, and how sure they are. */
export type ProductAudit = Replayed & {
  readonly product: ProductId;
  readonly place: KnownPlace;
  readonly settings: AuditSettings;
  readonly carrier: Carrier;
  /** The visitor's, or the operator's. */
  readonly trustRoot: TrustRoot | undefined;
  readonly sightings: Sightings;
  /** What the server's index says; null where it does not know the product. */
  readonly said: ProductResource | null;
  readonly verdict: Verdict;
  /** How long it took from the first request to the verdict. */
  readonly milliseconds: number;
  /** The entries themselves, for an export. */
  readonly entries: () => Promise<readonly Entry[]>;
};

export type Progress = { readonly sequence: number; readonly total: number | null };

/**
 * Replays a product's history and holds it against everything that the visitor believes.
 * @throws FirmproofError `server-unreachable`, `product-not-found`, `chain-mismatch`: nothing can be said at all then
 */
export async function auditProduct(
  product: ProductId,
  settings: AuditSettings,
  onProgress: (progress: Progress) => void,
): Promise<{ readonly audit: ProductAudit; readonly stop: () => void }> {
  const begun = performance.now();
  const carrier = new Carrier(settings.server);
  const trustRoot = settings.trustRoots.get(product);
  let total: number | null = null;
  const replay = new HistoryReplay((sequence) => onProgress({ sequence, total }));
  try {
    const [place, said, first] = await Promise.all([
      placeOfProduct(product, settings, carrier),
      summaryOf(product, carrier).then((summary) => {
        total = summary?.sequence ?? null;
        return summary;
      }),
      replay.replay(settings.server, product),
    ]);
    const sightings = await gatherSightings(place, [], { trustRoot, settings }, carrier);
    // Something may have happened between the last page of entries and the proof.
    const behind = sightings.list.some(({ proven }) => proven.sequence > first.events.length);
    const replayed = behind ? await replay.more() : first;
    const verdict = judge({ place, replayed, sightings, said });
    if (verdict.tone === 'good') replay.keep(verdict.vouchedUpTo);
    if (verdict.tone === 'bad') replay.forget();
    const milliseconds = Math.round(performance.now() - begun);
    const audit = { ...replayed, product, place, settings, carrier, trustRoot, sightings, said, verdict, milliseconds };
    return { audit: { ...audit, entries: () => replay.entries() }, stop: replay.stop };
  } catch (error) {
    replay.stop();
    throw error;
  }
}

/** The server's word about the product: what is audited, not what is believed. */
async function summaryOf(product: ProductId, carrier: Carrier): Promise<ProductResource | null> {
  try {
    return await carrier.product(product);
  } catch (error) {
    if (isFirmproofError(error) && isAway(error)) throw error;
    return null;
  }
}

const isAway = ({ code }: FirmproofError) => code === 'server-unreachable' || code === 'product-not-found';
