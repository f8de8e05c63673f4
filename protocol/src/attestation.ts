import * as z from 'zod';
import { type Sha256Digest, sha256 } from './digest.ts';
import { countSigners, type Envelope, envelopeSchema, payloadOf } from './dsse.ts';
import { FirmproofError } from './errors.ts';
import { parseJson } from './json.ts';
import { keyIdOf, type PublicKey } from './keys.ts';
import { parseStatement, type Statement, statementPayloadType } from './statement.ts';

export const attestationMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const maximumAttestationBytes = 128 * 1024;

const bundleSchema = z.object({
  mediaType: z.literal(attestationMediaType),
  verificationMaterial: z.object({ publicKey: z.object({ hint: z.string().min(1).max(100) }) }),
  dsseEnvelope: envelopeSchema,
});

/** A parsed attestation. Parsing proves nothing about the signature: `verifyAttestation` does. */
export type Attestation = {
  /** sha-256 of the exact text: what the chain commits to, and the CID of its raw block. */
  readonly digest: Sha256Digest;
  readonly text: string;
  /** Which key is said to have signed. */
  readonly hint: string;
  readonly envelope: Envelope;
  readonly statement: Statement;
};

/** sha-256 of the attestation's exact text. */
export function attestationDigest(text: string): Sha256Digest {
  return sha256(new TextEncoder().encode(text));
}

/**
 * @throws FirmproofError `attestation-malformed`, `attestation-payload-type`, `attestation-keyid-mismatch`,
 *   `statement-malformed`, `statement-type`, `statement-predicate-type`
 */
export function parseAttestation(text: string): Attestation {
  const bundle = parseJson(text, bundleSchema, {
    code: 'attestation-malformed',
    maximumBytes: maximumAttestationBytes,
    what: 'the attestation',
  });
  const envelope = bundle.dsseEnvelope;
  const [signature, ...more] = envelope.signatures;
  if (!signature || more.length > 0)
    throw new FirmproofError('attestation-malformed', 'the attestation needs exactly one signature');
  if (envelope.payloadType !== statementPayloadType) {
    throw new FirmproofError('attestation-payload-type', `the attestation has payload type "${envelope.payloadType}"`);
  }
  const hint = bundle.verificationMaterial.publicKey.hint;
  // The signature does not cover keyid, so a verifier has to compare it (A29).
  if (signature.keyid !== hint)
    throw new FirmproofError('attestation-keyid-mismatch', 'keyid and hint name different keys');
  return { digest: attestationDigest(text), text, hint, envelope, statement: parseStatement(payloadOf(envelope)) };
}

/**
 * Checks the signature against the build keys of a trust root; an attestation whose digest the root lists is accepted
 * without its dropped key.
 * @throws FirmproofError `attestation-key-unknown`, `attestation-signature-invalid`
 */
export function verifyAttestation(
  attestation: Attestation,
  trustRoot: { readonly buildKeys: readonly PublicKey[]; readonly acceptedAttestations: readonly Sha256Digest[] },
): void {
  if (trustRoot.acceptedAttestations.includes(attestation.digest)) return;
  const key = trustRoot.buildKeys.find((candidate) => keyIdOf(candidate) === attestation.hint);
  if (!key)
    throw new FirmproofError('attestation-key-unknown', 'the attestation is signed by a key outside the trust root');
  if (countSigners(attestation.envelope, [key]) !== 1) {
    throw new FirmproofError('attestation-signature-invalid', 'the signature of the attestation is wrong');
  }
}
