import {
  type Attestation,
  isFirmproofError,
  parseAttestation,
  type Sha256Digest,
  type SignerIdentity,
  subjectDigest,
  type TrustRoot,
  verifyAttestation,
} from '@firmproof/protocol';
import type { EventOf } from '@firmproof/protocol/audit';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import type { AuditedSignature, SignedBy } from './report.ts';

/** Trust roots and Sigstore roots by digest, as far as they are here: as trustworthy as whoever names the digest. */
export type RootDocuments = {
  readonly trustRoots: ReadonlyMap<Sha256Digest, TrustRoot>;
  readonly sigstoreRoots: ReadonlyMap<Sha256Digest, string>;
};

/** What the chain has recorded of a release, which its statement has to say too. */
type Recorded = Pick<EventOf<'published'>, 'product' | 'version' | 'image' | 'rollbackIndex'>;

export type CheckedAttestation = {
  /** null where it cannot be read: then it is `untrusted`. */
  readonly attestation: Attestation | null;
  readonly signature: AuditedSignature;
  /** What the statement says otherwise than the chain. */
  readonly differences: readonly string[];
};

export const rootNotHere = (digest: Sha256Digest) => `trust root ${digest}, which was in force, is not here`;

/**
 * Whether somebody has signed it whom the trust root names that was in force, and whether it says what the chain has recorded.
 * @param text has the digest that was recorded
 * @param trustRoot the digest of the one that was in force
 */
export async function checkAttestation(
  text: string,
  recorded: Recorded,
  trustRoot: Sha256Digest,
  documents: RootDocuments,
): Promise<CheckedAttestation> {
  let attestation: Attestation;
  try {
    attestation = parseAttestation(text);
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    const signature = { state: 'untrusted', code: error.code, message: error.message } as const;
    return { attestation: null, signature, differences: [] };
  }
  const signature = await signatureOf(attestation, trustRoot, documents);
  return { attestation, signature, differences: statementDifferences(recorded, attestation) };
}

async function signatureOf(
  attestation: Attestation,
  digest: Sha256Digest,
  { trustRoots, sigstoreRoots }: RootDocuments,
): Promise<AuditedSignature> {
  const root = trustRoots.get(digest);
  if (root === undefined) return { state: 'unchecked', message: rootNotHere(digest) };
  let identity: SignerIdentity | null = null;
  const verifier: typeof keylessVerifier = async (...args) => {
    identity = await keylessVerifier(...args);
    return identity;
  };
  try {
    const trustedRoot = root.sigstore && sigstoreRoots.get(root.sigstore.trustedRoot);
    await verifyAttestation(attestation, root, { verifier, trustedRoot });
    return { state: 'trusted', by: signerOf(attestation, root, identity) };
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    if (error.code === 'sigstore-root-missing') return { state: 'unchecked', message: error.message };
    return { state: 'untrusted', code: error.code, message: error.message };
  }
}

function signerOf(attestation: Attestation, root: TrustRoot, identity: SignerIdentity | null): SignedBy {
  if (root.acceptedAttestations.includes(attestation.digest)) return { kind: 'listed' };
  if (identity !== null) return { kind: 'identity', ...identity };
  return { kind: 'build-key', keyId: attestation.kind === 'keyed' ? attestation.hint : '' };
}

function statementDifferences(recorded: Recorded, { statement }: Attestation): readonly string[] {
  const { predicate } = statement;
  const pairs: readonly (readonly [string, string | number, string | number])[] = [
    ['product', predicate.product, recorded.product],
    ['version', predicate.version, recorded.version],
    ['image', subjectDigest(statement), recorded.image],
    ['rollback index', predicate.rollbackIndex, recorded.rollbackIndex],
  ];
  return pairs
    .filter(([, said, onChain]) => said !== onChain)
    .map(([name, said, onChain]) => `the statement has ${name} ${said}, the chain ${onChain}`);
}
