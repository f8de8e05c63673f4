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
import { statementPayloadType } from './statement.ts';

export const attestationMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

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
  /** sha-256 of the exact text. */
  readonly digest: Sha256Digest;
  readonly text: string;
  readonly envelope: Envelope;
};
export type KeyedStatement = Signed & {
  readonly kind: 'keyed';
  /** Which key is said to have signed. */
  readonly hint: string;
};
export type KeylessStatement = Signed & { readonly kind: 'keyless'; readonly material: KeylessMaterial };

/**
 * An in-toto statement in its Sigstore bundle, whatever it is about: nothing of the statement has been read yet, and the
 * signature is not verified before `verifySigner`.
 */
export type SignedStatement = KeyedStatement | KeylessStatement;

/** sha-256 of the exact text of a signed statement. */
export function attestationDigest(text: string): Sha256Digest {
  return sha256(new TextEncoder().encode(text));
}

/**
 * @throws FirmproofError `attestation-malformed`, `attestation-payload-type`, `attestation-keyid-mismatch`,
 *   `attestation-not-logged`
 */
export function parseSignedStatement(
  text: string,
  { maximumBytes, what }: { readonly maximumBytes: number; readonly what: string },
): SignedStatement {
  const bundle = parseJson(text, bundleSchema, { code: 'attestation-malformed', maximumBytes, what });
  const envelope = bundle.dsseEnvelope;
  const [signature, ...more] = envelope.signatures;
  if (!signature || more.length > 0)
    throw new FirmproofError('attestation-malformed', `${what} needs exactly one signature`);
  if (envelope.payloadType !== statementPayloadType)
    throw new FirmproofError('attestation-payload-type', `${what} has payload type "${envelope.payloadType}"`);
  const signer = signerOf(bundle.verificationMaterial, signature.keyid, what);
  return { digest: attestationDigest(text), text, envelope, ...signer };
}

/** What tells a statement from others for good: a signature has several forms, and so has JSON around it (A15, R4.5). */
export const payloadDigest = ({ envelope }: SignedStatement): Sha256Digest => sha256(payloadOf(envelope));

/** The signature does not cover keyid, so a verifier has to compare it (A29); a keyless one has no key to name. */
function signerOf(material: z.infer<typeof materialSchema>, keyid: string, what: string) {
  if ('publicKey' in material && material.publicKey) {
    const { hint } = material.publicKey;
    if (keyid !== hint) throw new FirmproofError('attestation-keyid-mismatch', 'keyid and hint name different keys');
    return { kind: 'keyed', hint } as const;
  }
  const { certificate, tlogEntries, timestampVerificationData } = material as KeylessMaterial;
  if (keyid !== '') throw new FirmproofError('attestation-keyid-mismatch', 'a keyless attestation names a key');
  if (tlogEntries.length === 0 || tlogEntries.some(({ inclusionProof }) => inclusionProof === undefined))
    throw new FirmproofError('attestation-not-logged', `${what} brings no proof that a log contains it`);
  return { kind: 'keyless', material: { certificate, tlogEntries, timestampVerificationData } } as const;
}

/**
 * Checks the signature against the build keys or the identities of a trust root.
 * @throws FirmproofError `attestation-key-unknown`, `attestation-signature-invalid`, and what `verifyKeyless` throws
 */
export async function verifySigner(
  signed: SignedStatement,
  trustRoot: { readonly buildKeys: readonly PublicKey[]; readonly sigstore?: SigstoreTrust | undefined },
  means: KeylessMeans,
  what: string,
): Promise<void> {
  if (signed.kind === 'keyless') return verifyKeyless(signed, trustRoot.sigstore, means);
  const key = trustRoot.buildKeys.find((candidate) => keyIdOf(candidate) === signed.hint);
  if (!key) throw new FirmproofError('attestation-key-unknown', `${what} is signed by a key outside the trust root`);
  requireSignedBy(signed, key, what);
}

/** @throws FirmproofError `attestation-signature-invalid` */
export function requireSignedBy({ envelope }: SignedStatement, key: PublicKey, what: string): void {
  if (countSigners(envelope, [key]) !== 1)
    throw new FirmproofError('attestation-signature-invalid', `the signature of ${what} is wrong`);
}
