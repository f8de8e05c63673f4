import {
  FirmproofError,
  type ProductId,
  type TrustRoot,
  trustRootOfEnvelope,
  walkTrustRoot,
} from '@firmproof/protocol';
import type { Session } from './session.ts';

/**
 * The trust root that the chain names, reached from the one that is given or known here where there is one.
 * @throws FirmproofError `trust-root-mismatch`, `trust-root-signature-invalid`, `server-lied`
 */
export async function newestTrustRoot(
  session: Session,
  product: ProductId,
  given: TrustRoot | null = null,
): Promise<TrustRoot> {
  const chain = await session.client().trustRoots(product);
  const newest = chain.at(-1);
  if (newest === undefined)
    throw new FirmproofError('trust-root-mismatch', 'the server has no trust root of this product');
  const root = trustRootOfEnvelope(newest);
  const known = given ?? session.home.trustRootOf(product) ?? trustRootOfEnvelope(chain[0] ?? newest);
  if (known.version > root.version)
    throw new FirmproofError('server-lied', `the server knows trust root ${root.version}, here is ${known.version}`);
  return walkTrustRoot(known, chain, root.digest);
}
