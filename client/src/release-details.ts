import {
  attestationDigest,
  FirmproofError,
  type ProductId,
  parseAttestation,
  type ReleaseDocument,
  type ReleaseResource,
  type Statement,
  sha256,
  subjectDigest,
  type TrustRoot,
  type Version,
  verifyAttestation,
} from '@firmproof/protocol';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import type { FirmproofClient } from './api-client.ts';

export type ReleaseDetails = {
  readonly release: ReleaseResource;
  readonly statement: Statement;
  /** Whether the signature was checked against a trust root that is known here. */
  readonly isSignatureChecked: boolean;
};

/**
 * A release with what its statement says of it, from the server that carries it.
 * @param trustRoot Of the product, where it is known here: then somebody whom it names must have signed the statement
 * @throws FirmproofError `release-not-found`, `not-installable-yet`, `server-lied`, or what `verifyAttestation` throws
 */
export async function releaseDetails(
  client: FirmproofClient,
  product: ProductId,
  version: Version,
  trustRoot: TrustRoot | null,
): Promise<ReleaseDetails> {
  const release = await client.release(product, version);
  const text = await client.attestation(product, version);
  if (attestationDigest(text) !== release.attestation)
    throw new FirmproofError('server-lied', 'the server gives another attestation than the one that it names');
  const attestation = parseAttestation(text);
  const { statement } = attestation;
  const { predicate } = statement;
  if (predicate.product !== product || predicate.version !== version || subjectDigest(statement) !== release.image)
    throw new FirmproofError('server-lied', 'the server gives the attestation of another release');
  if (trustRoot !== null) {
    const trustedRoot = trustRoot.sigstore && (await client.sigstoreRoot(product));
    await verifyAttestation(attestation, trustRoot, { verifier: keylessVerifier, trustedRoot });
  }
  return { release, statement, isSignatureChecked: trustRoot !== null };
}

/**
 * A document, as the statement names it and nothing else (R9.3, A36).
 * @throws FirmproofError `document-missing`, `document-digest-mismatch`
 */
export async function fetchDocument(
  client: FirmproofClient,
  product: ProductId,
  document: ReleaseDocument,
): Promise<Uint8Array> {
  const bytes = await client.document(product, document);
  if (bytes.length === document.sizeBytes && sha256(bytes) === document.digest) return bytes;
  throw new FirmproofError('document-digest-mismatch', `the server gives something else as ${document.name}`);
}
