import type { KeyObject } from 'node:crypto';
import {
  type Envelope,
  FirmproofError,
  type Proposal,
  type TrustRoot,
  trustRootOfEnvelope,
  walkTrustRoot,
} from '@firmproof/protocol';
import { moveTo, nextTrustRoot, type Place } from './trust-root-change.ts';
import type { Vendor } from './vendor.ts';

export type Move = {
  /** The trust root that the old chain names. */
  readonly current: TrustRoot;
  /** Every trust root up to that one, oldest first. */
  readonly chain: readonly Envelope[];
  readonly place: Pick<Place, 'witnesses' | 'servers'>;
  readonly rootKeys: readonly KeyObject[];
  /** The Sigstore TrustedRoot that the trust root names, where it names one: the new server does not have it yet. */
  readonly sigstoreTrustedRoot?: string | undefined;
  readonly guardian?: string;
  readonly delaySeconds?: number;
};

/**
 * Registers a product at a new place, with the trust root that will lead devices there and the whole chain before it. The
 * old registry has to name that root too (`Vendor.configure`), or devices wait for 90 days.
 * @param to The publisher at the new place.
 * @throws FirmproofError `trust-root-mismatch`, `trust-root-signature-invalid`, `product-exists`
 */
export async function registerSuccessor(
  to: Vendor,
  { current, chain, place, rootKeys, sigstoreTrustedRoot, guardian, delaySeconds }: Move,
): Promise<{ readonly next: TrustRoot; readonly proposal: Proposal }> {
  const [first, ...rest] = chain;
  if (first === undefined) throw new FirmproofError('trust-root-mismatch', 'the chain of trust roots is missing');
  walkTrustRoot(trustRootOfEnvelope(first), rest, current.digest);
  const { chainId, registry } = to.info;
  const product = to.productId(current.name);
  const next = nextTrustRoot(current, [moveTo({ ...place, chainId, registry, product })], rootKeys);
  const proposal = await to.register(current.name, next, {
    ...(guardian && { guardian }),
    ...(delaySeconds !== undefined && { delaySeconds }),
    sigstoreTrustedRoot,
    predecessor: { product: current.product, trustRoots: chain },
  });
  return { next, proposal };
}
