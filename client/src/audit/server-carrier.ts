import {
  isFirmproofError,
  isSamePlace,
  type ProductId,
  type Sha256Digest,
  sigstoreRootDigest,
  type TrustRoot,
  trustRootOfEnvelope,
} from '@firmproof/protocol';
import {
  type Finding,
  namedTrustRoot,
  type ProductPlace,
  type ProductProof,
  type ProvenProduct,
  proveProduct,
  vouchedByWitnesses,
} from '@firmproof/protocol/audit';
import type { FirmproofClient } from '../api-client.ts';
import type { RootDocuments } from './check-attestation.ts';
import type { AuditBasis } from './report.ts';

/** What a quorum of witnesses vouches for, as a server has handed it over. */
export type WitnessedProof = {
  readonly proof: ProductProof;
  readonly proven: ProvenProduct;
  readonly witnesses: NonNullable<AuditBasis['witnesses']>;
};

/**
 * The server's proof of the product, if a quorum of witnesses vouches for its block.
 * @param held the trust root that the auditor has from elsewhere; without it the one that the chain names is taken, and that is said
 */
export async function witnessedProof(
  proof: ProductProof,
  place: ProductPlace,
  held: TrustRoot | null,
): Promise<WitnessedProof | Finding> {
  try {
    const proven = await proveProduct(proof, place);
    const root = namedTrustRoot(proof, proven.trustRoot, held ?? undefined);
    // Whoever registers a product may name the trust root of another's (V5.2). That of one that has moved names the place where it goes on.
    if (held !== null && !isSamePlace(held, place) && !isSamePlace(root, place)) {
      const message = `the chain names the trust root of product ${root.product}, whose witnesses vouch for nothing here`;
      return { code: 'no-quorum', severity: 'bad', message };
    }
    const { operators, quorum, reached } = vouchedByWitnesses(proof.block, proof.cosignatures, root);
    if (!reached) {
      const message = `${operators.length} of ${quorum} needed witnesses vouch for block ${proof.block.number}`;
      return { code: 'no-quorum', severity: 'warn', message };
    }
    const { sequence } = proven;
    const trustRoot = held === null ? 'chain' : 'held';
    return { proof, proven, witnesses: { operators, quorum, sequence, block: proof.block.number, trustRoot } };
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    return {
      code: 'server-disagrees',
      severity: 'bad',
      message: `the proof with the witnesses' signatures is false: ${error.message}`.slice(0, 500),
    };
  }
}

/** All that a server has; what is malformed is not taken. */
export async function rootDocuments(
  client: FirmproofClient | null,
  product: ProductId,
  held: TrustRoot | null,
): Promise<RootDocuments> {
  const trustRoots = new Map<Sha256Digest, TrustRoot>();
  const sigstoreRoots = new Map<Sha256Digest, string>();
  if (held) trustRoots.set(held.digest, held);
  if (client === null) return { trustRoots, sigstoreRoots };
  for (const envelope of await orNone(client.trustRoots(product), [])) {
    const root = await orNone(
      Promise.resolve().then(() => trustRootOfEnvelope(envelope)),
      null,
    );
    if (root) trustRoots.set(root.digest, root);
  }
  if ([...trustRoots.values()].some(({ sigstore }) => sigstore !== undefined)) {
    const text = await orNone(client.sigstoreRoot(product), null);
    if (text !== null) sigstoreRoots.set(sigstoreRootDigest(text), text);
  }
  return { trustRoots, sigstoreRoots };
}

async function orNone<Value, None>(value: Promise<Value>, none: None): Promise<Value | None> {
  try {
    return await value;
  } catch (error) {
    if (isFirmproofError(error)) return none;
    throw error;
  }
}
