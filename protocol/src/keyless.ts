import * as z from 'zod';

import { bytesOfBase64 } from './bytes.ts';
import { type Sha256Digest, sha256, sha256DigestSchema } from './digest.ts';
import { FirmproofError } from './errors.ts';
import type { KeylessStatement } from './signed-statement.ts';

/** A Sigstore TrustedRoot as JSON text; the one of the public instance has about 7 KB. */
export const maximumSigstoreRootBytes = 96 * 1024;
export const sigstoreRootSchema = z.string().min(1).max(maximumSigstoreRootBytes);

const base64Text = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .refine((text) => bytesOfBase64(text) !== null, 'not base64');
/** 64-bit integers are text in the JSON form of protobuf, which leaves zero out. */
const integerText = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,18})$/)
  .default('0');

const logEntrySchema = z.object({
  logIndex: integerText,
  logId: z.object({ keyId: base64Text(100) }),
  kindVersion: z.object({ kind: z.enum(['dsse', 'intoto']), version: z.string().min(1).max(20) }),
  integratedTime: integerText,
  inclusionPromise: z.object({ signedEntryTimestamp: base64Text(1000) }).optional(),
  inclusionProof: z
    .object({
      logIndex: integerText,
      rootHash: base64Text(100),
      treeSize: integerText,
      hashes: z.array(base64Text(100)).max(64).default([]),
      checkpoint: z.object({ envelope: z.string().min(1).max(8192) }),
    })
    .optional(),
  canonicalizedBody: base64Text(120_000),
});

/** What a keyless attestation brings along instead of a key: certificate, entries of the log, timestamps. */
export const keylessMaterialSchema = z.object({
  certificate: z.object({ rawBytes: base64Text(16_384) }),
  tlogEntries: z.array(logEntrySchema).max(4).default([]),
  timestampVerificationData: z
    .object({
      rfc3161Timestamps: z
        .array(z.object({ signedTimestamp: base64Text(32_768) }))
        .max(4)
        .default([]),
    })
    .default({ rfc3161Timestamps: [] }),
});
export type KeylessMaterial = z.infer<typeof keylessMaterialSchema>;

/** Compared as they are: no patterns, no case folding. */
export const signerIdentitySchema = z.object({
  identity: z.string().min(1).max(1024),
  issuer: z.string().min(1).max(512),
});
/** Who has signed: the certificate's subject alternative name, and the OIDC issuer that vouched for it. */
export type SignerIdentity = Readonly<z.infer<typeof signerIdentitySchema>>;

/** The part of a trust root that names who may sign without a key of its own. */
export const sigstoreTrustSchema = z.object({
  /** sha-256 of the exact text of the Sigstore TrustedRoot: its authorities, logs and their keys. */
  trustedRoot: sha256DigestSchema,
  identities: z
    .array(signerIdentitySchema)
    .min(1)
    .max(32)
    .refine(
      (all) => new Set(all.map((one) => JSON.stringify([one.issuer, one.identity]))).size === all.length,
      'repeats an identity',
    ),
});
export type SigstoreTrust = Readonly<z.infer<typeof sigstoreTrustSchema>>;

/**
 * Proves who has signed: certificate chain and its signed timestamp, a proof of the log, a time of signing inside the
 * certificate's validity, the signature. Never asks a clock. The one implementation is `protocol/node`'s.
 * @throws FirmproofError `certificate-untrusted`, `attestation-not-logged`, `attestation-untimed`,
 *   `attestation-signature-invalid`, `sigstore-root-malformed`
 */
export type KeylessVerifier = (attestation: KeylessStatement, trustedRoot: string) => Promise<SignerIdentity>;

/** What it takes to verify a keyless attestation, besides the trust root. */
export type KeylessMeans = {
  /** Absent where none can run: keyless attestations are refused there. */
  readonly verifier?: KeylessVerifier | undefined;
  /** The Sigstore TrustedRoot as somebody has sent it. */
  readonly trustedRoot?: string | undefined;
};

/** sha-256 of the exact text. */
export function sigstoreRootDigest(text: string): Sha256Digest {
  return sha256(new TextEncoder().encode(text));
}

/** The document that the trust root names, and no other. @throws FirmproofError `sigstore-root-missing`, `sigstore-root-mismatch` */
export function requireSigstoreRoot(trust: SigstoreTrust, text: string | undefined): string {
  if (text === undefined)
    throw new FirmproofError('sigstore-root-missing', `the Sigstore trusted root ${trust.trustedRoot} is not here`);
  const digest = sigstoreRootDigest(text);
  if (digest === trust.trustedRoot) return text;
  throw new FirmproofError(
    'sigstore-root-mismatch',
    `the Sigstore trusted root is ${digest}, not ${trust.trustedRoot}`,
  );
}

/**
 * Checks that one of the named identities has signed (docs/spec/release.md R7). Nothing permissive rests on absence.
 * @throws FirmproofError `keyless-unexpected`, `keyless-unsupported`, `sigstore-root-missing`, `sigstore-root-mismatch`,
 *   `identity-mismatch`, `issuer-mismatch`, and what a KeylessVerifier throws
 */
export async function verifyKeyless(
  attestation: KeylessStatement,
  trust: SigstoreTrust | undefined,
  { verifier, trustedRoot }: KeylessMeans,
): Promise<void> {
  if (trust === undefined)
    throw new FirmproofError('keyless-unexpected', 'the attestation is keyless, the trust root names build keys only');
  if (verifier === undefined)
    throw new FirmproofError('keyless-unsupported', 'nothing here can verify keyless attestations');
  requireNamed(await verifier(attestation, requireSigstoreRoot(trust, trustedRoot)), trust.identities);
}

function requireNamed({ identity, issuer }: SignerIdentity, named: SigstoreTrust['identities']): void {
  const sameIdentity = named.filter((candidate) => candidate.identity === identity);
  if (sameIdentity.length === 0)
    throw new FirmproofError('identity-mismatch', `"${identity}" has signed, whom the trust root does not name`);
  if (sameIdentity.some((candidate) => candidate.issuer === issuer)) return;
  throw new FirmproofError(
    'issuer-mismatch',
    `"${issuer}" vouches for the signer, the trust root names another issuer`,
  );
}
