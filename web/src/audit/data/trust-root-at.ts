import {
  type Envelope,
  readTrustRoot,
  type Sha256Digest,
  type TrustRoot,
  trustRootOfEnvelope,
} from '@firmproof/protocol';
import type { HistoryEvent } from '@firmproof/protocol/audit';
import type { ProductAudit } from './audit.ts';

/** The digest of the trust root that was in force when an entry was made. */
export function trustRootDigestAt(events: readonly HistoryEvent[], sequence: number): Sha256Digest | null {
  for (let at = sequence - 1; at >= 0; at -= 1) {
    const event = events[at];
    if (event?.kind === 'registered' || event?.kind === 'applied') return event.trustRoot;
  }
  return null;
}

/**
 * The document with that digest, from wherever it is to be had: the digest is in the history, so it does not matter who gives it.
 * null where nobody has it.
 */
export async function trustRootWithDigest(audit: ProductAudit, digest: Sha256Digest): Promise<TrustRoot | null> {
  const { trustRoot, sightings, carrier, product } = audit;
  if (trustRoot?.digest === digest) return trustRoot;
  return (
    amongThose(sightings.proof?.trustRoots ?? [], digest) ??
    amongThose(await carrier.trustRoots(product).catch(() => []), digest)
  );
}

function amongThose(envelopes: readonly Envelope[], digest: Sha256Digest): TrustRoot | null {
  for (const envelope of envelopes) {
    try {
      if (readTrustRoot(envelope).digest === digest) return trustRootOfEnvelope(envelope);
    } catch {
      // One that cannot be read is not the one.
    }
  }
  return null;
}
