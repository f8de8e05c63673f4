import type { KeyObject } from 'node:crypto';
import {
  attestationDigest,
  FirmproofError,
  keyIdOf,
  type ProductId,
  type PublicKey,
  parseAttestation,
  type Rebuilder,
  type Sha256Digest,
  sigstoreRootDigest,
  type TrustRoot,
  type TrustRootDocument,
  type Version,
  verifyAttestation,
  walkTrustRoot,
} from '@firmproof/protocol';
import type { FirmproofClient } from './api-client.ts';
import type { KeylessTrust } from './product-setup.ts';
import { signTrustRoot } from './trust-root-document.ts';

/** What the next trust root says differently. Changes are made one after the other; each gives a new document. */
export type TrustRootChange = (document: TrustRootDocument) => TrustRootDocument;
type Witness = TrustRootDocument['witnesses']['members'][number];

const without = <Item>(items: readonly Item[], dropped: (item: Item) => boolean, what: string): Item[] => {
  const left = items.filter((item) => !dropped(item));
  if (left.length === items.length) throw new FirmproofError('usage-invalid', `the trust root has no ${what}`);
  return left;
};

export const addBuildKey =
  (key: PublicKey): TrustRootChange =>
  (document) => ({ ...document, buildKeys: [...document.buildKeys, key] });

/** @param accepted Digests of attestations by that key that devices may still install (`liveAttestations`). */
export const dropBuildKey =
  (key: PublicKey, accepted: readonly Sha256Digest[]): TrustRootChange =>
  (document) => ({
    ...document,
    buildKeys: without(document.buildKeys, (other) => other === key, 'such build key'),
    acceptedAttestations: [...new Set([...(document.acceptedAttestations ?? []), ...accepted])],
  });

/** Who signs without a key from then on: all of them, in the place of those before. Attestations of others need `accepted`. */
export const setKeyless =
  ({ identities, trustedRoot }: KeylessTrust): TrustRootChange =>
  (document) => ({
    ...document,
    sigstore: { trustedRoot: sigstoreRootDigest(trustedRoot), identities: [...identities] },
  });

export const addWitness =
  (witness: Witness): TrustRootChange =>
  ({ witnesses, ...document }) => ({
    ...document,
    witnesses: { ...witnesses, members: [...witnesses.members, witness] },
  });

/** Who is counted as a rebuilder: one more key, of a new name or of one that is there. */
export const addRebuilder =
  (rebuilder: Rebuilder): TrustRootChange =>
  (document) => ({ ...document, rebuilders: [...(document.rebuilders ?? []), rebuilder] });

export const dropRebuilder =
  (nameOrKey: string): TrustRootChange =>
  (document) => ({
    ...document,
    rebuilders: without(
      document.rebuilders ?? [],
      ({ name, publicKey }) => name === nameOrKey || publicKey === nameOrKey,
      'such rebuilder',
    ),
  });

/** Devices that hold an older root still count the old witnesses: drop fewer at a time than the quorum can miss. */
export const dropWitness =
  (operatorOrKey: string): TrustRootChange =>
  ({ witnesses, ...document }) => ({
    ...document,
    witnesses: {
      ...witnesses,
      members: without(
        witnesses.members,
        ({ operator, publicKey }) => operator === operatorOrKey || publicKey === operatorOrKey,
        'such witness',
      ),
    },
  });

export const changeQuorum =
  (quorum: number): TrustRootChange =>
  ({ witnesses, ...document }) => ({ ...document, witnesses: { ...witnesses, quorum } });

/** The next root has to be signed by the old root keys and by these. */
export const changeRootKeys =
  (rootKeys: TrustRootDocument['rootKeys']): TrustRootChange =>
  (document) => ({ ...document, rootKeys });

export type Place = Pick<TrustRootDocument, 'chainId' | 'registry' | 'product' | 'witnesses'> & {
  /** Servers of the new place, which the devices' images do not know. */
  readonly servers: readonly string[];
};

/** The product goes to another chain or registry, where it has another id. The pinned code stays behind. */
export const moveTo =
  ({ servers, ...place }: Place): TrustRootChange =>
  ({ registryCodeHash: _pinned, ...document }) => ({ ...document, ...place, servers: [...servers] });

/** The document that follows on a trust root, not signed yet. */
export function nextDocument(current: TrustRoot, changes: readonly TrustRootChange[]): TrustRootDocument {
  const { digest: _digest, envelope: _envelope, ...document } = current;
  const start = { ...document, version: current.version + 1, madeAt: Math.floor(Date.now() / 1000) };
  return changes.reduce<TrustRootDocument>((changed, change) => change(changed), start);
}

/**
 * The next trust root, signed by the old and the new root keys, and checked as a device will.
 * @throws FirmproofError `trust-root-malformed`, `trust-root-signature-invalid`, `usage-invalid`
 */
export function nextTrustRoot(
  current: TrustRoot,
  changes: readonly TrustRootChange[],
  rootKeys: readonly KeyObject[],
): TrustRoot {
  const next = signTrustRoot(nextDocument(current, changes), rootKeys);
  return walkTrustRoot(current, [next.envelope], next.digest);
}

export type LiveAttestation = { readonly version: Version; readonly attestation: Sha256Digest };

/**
 * The releases that a dropped build key has signed and that are not revoked: each attestation is fetched and verified
 * against that key, so that a server cannot smuggle in one that the key never signed.
 * @throws FirmproofError `server-lied`, `attestation-signature-invalid`
 */
export async function liveAttestations(
  client: FirmproofClient,
  product: ProductId,
  key: PublicKey,
): Promise<readonly LiveAttestation[]> {
  const live: LiveAttestation[] = [];
  for await (const { version, status, attestation } of client.releases(product)) {
    if (status !== 'active') continue;
    const text = await client.attestation(product, version);
    if (attestationDigest(text) !== attestation)
      throw new FirmproofError('server-lied', `the server gives another attestation of ${version} than it names`);
    const parsed = parseAttestation(text);
    if (parsed.kind !== 'keyed' || parsed.hint !== keyIdOf(key)) continue;
    await verifyAttestation(parsed, { buildKeys: [key], acceptedAttestations: [] });
    live.push({ version, attestation });
  }
  return live;
}
