import * as z from 'zod';
import { type Sha256Digest, sha256 } from './digest.ts';
import { countSigners, type Envelope, envelopeSchema, payloadOf } from './dsse.ts';
import { FirmproofError } from './errors.ts';
import { parseJson } from './json.ts';
import {
  type KeylessMaterial,
  type KeylessMeans,
  keylessMaterialSchema,
  type SigstoreTrust,
  verifyKeyless,
} from './keyless.ts';
import { keyIdOf, type PublicKey } from './keys.ts';
import { parseStatement, type Statement, statementPayloadType } from './statement.ts';

export const attestationMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const maximumAttestationBytes = 128 * 1024;

/** R4 of docs/spec/release.md. Exactly one of key and certificate: a bundle that names both, or a chain of its own, is none of ours. */
const absent = z.undefined().optional();
const materialSchema = z.union([
  z.object({
    publicKey: z.object({ hint: z.string().min(1).max(100) }),
    certificate: absent,
    x509CertificateChain: absent,
  }),
  keylessMaterialSchema.extend({ publicKey: absent, x509CertificateChain: absent }),
]);
const bundleSchema = z.object({
  mediaType: z.literal(attestationMediaType),
  verificationMaterial: materialSchema,
  dsseEnvelope: envelopeSchema,
});

type Signed = {
  /** sha-256 of the exact text: what the chain commits to, and the CID of its raw block. */
  readonly digest: Sha256Digest;
  readonly text: string;
  readonly envelope: Envelope;
  readonly statement: Statement;
};
export type KeyedAttestation = Signed & {
  readonly kind: 'keyed';
  /** Which build key is said to have signed. */
  readonly hint: string;
};
export type KeylessAttestation = Signed & { readonly kind: 'keyless'; readonly material: KeylessMaterial };

/** A parsed attestation. Parsing proves nothing about the signature: `verifyAttestation` does. */
export type Attestation = KeyedAttestation | KeylessAttestation;

/** sha-256 of the attestation's exact text. */
export function attestationDigest(text: string): Sha256Digest {
  return sha256(new TextEncoder().encode(text));
}

/**
 * @throws FirmproofError `attestation-malformed`, `attestation-payload-type`, `attestation-keyid-mismatch`,
 *   `attestation-not-logged`, `statement-malformed`, `statement-type`, `statement-predicate-type`
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
  const signer = signerOf(bundle.verificationMaterial, signature.keyid);
  return { digest: attestationDigest(text), text, envelope, statement: parseStatement(payloadOf(envelope)), ...signer };
}

/** The signature does not cover keyid, so a verifier has to compare it (A29); a keyless attestation has no key to name. */
function signerOf(material: z.infer<typeof materialSchema>, keyid: string) {
  if ('publicKey' in material && material.publicKey) {
    const { hint } = material.publicKey;
    if (keyid !== hint) throw new FirmproofError('attestation-keyid-mismatch', 'keyid and hint name different keys');
    return { kind: 'keyed', hint } as const;
  }
  const { certificate, tlogEntries, timestampVerificationData } = material as KeylessMaterial;
  if (keyid !== '') throw new FirmproofError('attestation-keyid-mismatch', 'a keyless attestation names a key');
  if (tlogEntries.length === 0 || tlogEntries.some(({ inclusionProof }) => inclusionProof === undefined))
    throw new FirmproofError('attestation-not-logged', 'the attestation brings no proof that a log contains it');
  return { kind: 'keyless', material: { certificate, tlogEntries, timestampVerificationData } } as const;
}

/**
 * Checks the signature against the build keys or the identities of a trust root; an attestation whose digest the root
 * lists is accepted without its dropped key or identity.
 * @throws FirmproofError `attestation-key-unknown`, `attestation-signature-invalid`, and what `verifyKeyless` throws
 */
export async function verifyAttestation(
  attestation: Attestation,
  trustRoot: {
    readonly buildKeys: readonly PublicKey[];
    readonly sigstore?: SigstoreTrust | undefined;
    readonly acceptedAttestations: readonly Sha256Digest[];
  },
  means: KeylessMeans = {},
): Promise<void> {
  if (trustRoot.acceptedAttestations.includes(attestation.digest)) return;
  if (attestation.kind === 'keyless') return verifyKeyless(attestation, trustRoot.sigstore, means);
  const key = trustRoot.buildKeys.find((candidate) => keyIdOf(candidate) === attestation.hint);
  if (!key)
    throw new FirmproofError('attestation-key-unknown', 'the attestation is signed by a key outside the trust root');
  if (countSigners(attestation.envelope, [key]) !== 1) {
    throw new FirmproofError('attestation-signature-invalid', 'the signature of the attestation is wrong');
  }
}
