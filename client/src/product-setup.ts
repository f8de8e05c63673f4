import type { KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type ActionMessage,
  actions,
  bytes32OfDigest,
  FirmproofError,
  type ProductId,
  type ProductName,
  type ProductResource,
  type Proposal,
  parseAddress,
  parsePublicKey,
  type SignerIdentity,
  sigstoreRootDigest,
  type TrustRoot,
  type TrustRootDocument,
  trustRootType,
  zeroAddress,
} from '@firmproof/protocol';
import { actionTypedData, isAsked } from '@firmproof/protocol/approval';
import { publicKeyOf } from '@firmproof/protocol/node';
import { SignerApprover } from './approver.ts';
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
export function firstTrustRoot(vendor: Vendor, options: ProductOptions, keys: FirstKeys): TrustRoot {
  return signTrustRoot(firstDocument(vendor, options, keys), [keys.root]);
}

type FirstKeys = { readonly build: KeyObject; readonly root: KeyObject };

/**
 * What these options would have devices believe otherwise than the trust root that was made before: the names of members,
 * none where it is all the same.
 */
export function differencesFrom(
  before: TrustRoot,
  vendor: Vendor,
  options: ProductOptions,
  keys: FirstKeys,
): readonly string[] {
  const asked = JSON.parse(JSON.stringify(firstDocument(vendor, options, keys)));
  const members = ['maxAgeSeconds', 'witnesses', 'sigstore'] as const;
  return members.filter((member) => !isDeepStrictEqual(asked[member], before[member]));
}

function firstDocument(vendor: Vendor, options: ProductOptions, keys: FirstKeys): TrustRootDocument {
  const { chainId, registry } = vendor.info;
  return {
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
}

function keylessSigners({ identities, trustedRoot }: KeylessTrust) {
  return { buildKeys: [], sigstore: { trustedRoot: sigstoreRootDigest(trustedRoot), identities: [...identities] } };
}
/** Rises with each change of a product's configuration. */
const firstEpoch = 1;

/** `proposal` is null for a product that is registered already. */
type Registration = { readonly product: ProductId; readonly proposal: Proposal | null };

/**
 * Proposes to register a product. One that is registered already with this very trust root is taken as it is, and one that
 * is proposed already gets the own approval, so that an interrupted setup can go on.
 * @throws FirmproofError `product-exists` when it has another trust root
 */
export async function proposeProduct(
  vendor: Vendor,
  trustRoot: TrustRoot,
  options: ProductOptions,
): Promise<Registration> {
  const product = vendor.productId(options.name);
  const existing = await vendor.client.product(product).catch((error: unknown) => {
    if (error instanceof FirmproofError && error.code === 'product-not-found') return null;
    throw error;
  });
  if (existing !== null) {
    if (existing.trustRoot === trustRoot.digest) {
      requireSameTerms(existing, options);
      return { product, proposal: null };
    }
    throw new FirmproofError('product-exists', `${options.name} is registered with another trust root`);
  }
  const { delaySeconds, guardian, keyless } = options;
  const open = await openRegistration(vendor, trustRoot, options);
  const more = { ...(guardian && { guardian }), ...(keyless && { sigstoreTrustedRoot: keyless.trustedRoot }) };
  const proposal =
    open === null
      ? await vendor.register(options.name, trustRoot, { delaySeconds, ...more })
      : await withOwnApproval(vendor, open.proposal, open.message);
  return { product, proposal };
}

/** As long as nobody has changed the product since, it is what was asked for. @throws FirmproofError `product-exists` */
function requireSameTerms(existing: ProductResource, { name, delaySeconds, guardian }: ProductOptions): void {
  const isSame = existing.delaySeconds === delaySeconds && existing.guardian === parseAddress(guardian ?? zeroAddress);
  if (isSame || existing.epoch > firstEpoch) return;
  throw new FirmproofError('product-exists', `${name} is registered with another veto window or guardian`, {
    hint: 'Leave the options as they were; `firmproof product configure` changes both.',
  });
}

/** Registers a product and waits until the chain has it. @throws FirmproofError `product-exists` */
export async function registerProduct(
  vendor: Vendor,
  trustRoot: TrustRoot,
  options: ProductOptions,
): Promise<ProductId> {
  const { product, proposal } = await proposeProduct(vendor, trustRoot, options);
  if (proposal) await vendor.client.follow(proposal.id);
  return product;
}

type OpenRegistration = { readonly proposal: Proposal; readonly message: ActionMessage<'Register'> };

/** The same registration, where it waits to be approved or relayed. */
async function openRegistration(
  vendor: Vendor,
  trustRoot: TrustRoot,
  { name, delaySeconds, guardian }: ProductOptions,
): Promise<OpenRegistration | null> {
  for (const proposal of await vendor.client.proposals(vendor.account)) {
    if (proposal.kind !== 'register' || ['confirmed', 'rejected', 'expired'].includes(proposal.state)) continue;
    const { data: message } = actions.Register.safeParse(proposal.message);
    const isSame =
      message?.name === name &&
      message.trustRoot === bytes32OfDigest(trustRoot.digest) &&
      message.delay === delaySeconds &&
      message.guardian === parseAddress(guardian ?? zeroAddress) &&
      message.deadline > Date.now() / 1000;
    if (message && isSame) return { proposal, message };
  }
  return null;
}

/** The own approval may be missing where the command was ended before, or where somebody else has proposed it. */
async function withOwnApproval(
  { approver, info, client }: Vendor,
  proposal: Proposal,
  message: ActionMessage<'Register'>,
): Promise<Proposal> {
  if (!(approver instanceof SignerApprover)) return proposal;
  const { signer } = approver.key;
  const { requirements, approvals } = proposal;
  const isGiven = approvals.some((given) => given.signer === signer && given.epoch === requirements?.epoch);
  if (isGiven || !requirements || !isAsked(requirements, signer)) return proposal;
  const approval = await approver.sign(actionTypedData(info, 'Register', message), info.chainId);
  return client.approve(proposal.id, approval);
}
