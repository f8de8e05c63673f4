import type { KeyObject } from 'node:crypto';
import {
  FirmproofError,
  type ProductId,
  type ProductName,
  type Proposal,
  parsePublicKey,
  type SignerIdentity,
  sigstoreRootDigest,
  type TrustRoot,
  type TrustRootDocument,
  trustRootType,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { signTrustRoot } from './trust-root-document.ts';
import type { Vendor } from './vendor.ts';

export type WitnessMember = { readonly operator: string; readonly publicKey: string };

export type ProductOptions = {
  readonly name: ProductName;
  readonly witnesses: readonly WitnessMember[];
  readonly quorum: number;
  readonly maxAgeSeconds: number;
  readonly delaySeconds: number;
  readonly guardian?: string;
  /** Who signs without a key. With it no build key is named: one way of signing is one way to watch. */
  readonly keyless?: KeylessTrust;
};

/** Identities that may sign, and the text of the Sigstore trusted root that they are proved with. */
export type KeylessTrust = { readonly identities: readonly SignerIdentity[]; readonly trustedRoot: string };

/** More than half of the operators. */
export const majorityOf = (witnesses: readonly WitnessMember[]) =>
  Math.floor(new Set(witnesses.map(({ operator }) => operator)).size / 2) + 1;

/**
 * The first trust root of a product, with one build key or the identities that sign instead, and one root key.
 * @throws FirmproofError `trust-root-malformed`, `key-invalid`
 */
export function firstTrustRoot(
  vendor: Vendor,
  options: ProductOptions,
  keys: { readonly build: KeyObject; readonly root: KeyObject },
): TrustRoot {
  const { chainId, registry } = vendor.info;
  const document: TrustRootDocument = {
    type: trustRootType,
    version: 1,
    product: vendor.productId(options.name),
    name: options.name,
    chainId,
    registry,
    maxAgeSeconds: options.maxAgeSeconds,
    witnesses: {
      quorum: options.quorum,
      members: options.witnesses.map(({ operator, publicKey }) => ({ operator, publicKey: parsePublicKey(publicKey) })),
    },
    ...(options.keyless ? keylessSigners(options.keyless) : { buildKeys: [publicKeyOf(keys.build)] }),
    rootKeys: { threshold: 1, keys: [publicKeyOf(keys.root)] },
  };
  return signTrustRoot(document, [keys.root]);
}

function keylessSigners({ identities, trustedRoot }: KeylessTrust) {
  return { buildKeys: [], sigstore: { trustedRoot: sigstoreRootDigest(trustedRoot), identities: [...identities] } };
}

/**
 * Registers a product and waits until the chain has it. One that is registered already with this very trust root is
 * taken as it is, so that an interrupted setup can go on.
 * @throws FirmproofError `product-exists` when it has another trust root
 */
export async function registerProduct(
  vendor: Vendor,
  trustRoot: TrustRoot,
  options: ProductOptions,
  onState?: (proposal: Proposal) => void,
): Promise<ProductId> {
  const product = vendor.productId(options.name);
  const existing = await vendor.client.product(product).catch((error: unknown) => {
    if (error instanceof FirmproofError && error.code === 'product-not-found') return null;
    throw error;
  });
  if (existing !== null) {
    if (existing.trustRoot === trustRoot.digest) return product;
    throw new FirmproofError('product-exists', `${options.name} is registered with another trust root`);
  }
  const { delaySeconds, guardian, keyless } = options;
  const proposal = await vendor.register(options.name, trustRoot, {
    delaySeconds,
    ...(guardian && { guardian }),
    ...(keyless && { sigstoreTrustedRoot: keyless.trustedRoot }),
  });
  await vendor.client.follow(proposal.id, onState);
  return product;
}
