import { FirmproofError, type ProductId } from '@firmproof/protocol';
import type { ProductPlace } from '@firmproof/protocol/audit';
import type { AuditSettings } from '../settings/settings.ts';
import type { Carrier } from './carrier.ts';

/** Who says on which chain and in which registry the product is. */
type PlaceSaidBy = 'trust-root' | 'operator' | 'server';
export type KnownPlace = ProductPlace & { readonly saidBy: PlaceSaidBy };

/**
 * Where a product is: as its trust root says, as these pages are set up, or, where neither does, as the server says. In the last
 * case the product's id decides: it is the hash of the place, the first publisher and the name.
 * @throws FirmproofError `server-unreachable`, `chain-mismatch` where the trust root and the pages are set up for different places
 */
export async function placeOfProduct(
  product: ProductId,
  settings: Pick<AuditSettings, 'trustRoots' | 'pinned'>,
  carrier: Carrier,
): Promise<KnownPlace> {
  const { trustRoots, pinned } = settings;
  const root = trustRoots.get(product);
  if (root && pinned && (root.chainId !== pinned.chainId || root.registry !== pinned.registry)) {
    const here = `chain ${pinned.chainId}, registry ${pinned.registry}`;
    throw new FirmproofError('chain-mismatch', `the trust root is for another place than ${here} of these pages`);
  }
  if (root) return { chainId: root.chainId, registry: root.registry, product, saidBy: 'trust-root' };
  if (pinned) return { ...pinned, product, saidBy: 'operator' };
  const { chainId, registry } = await carrier.info();
  return { chainId, registry, product, saidBy: 'server' };
}
