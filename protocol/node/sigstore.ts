import { X509Certificate } from 'node:crypto';
import {
  attestationMediaType,
  type ErrorCode,
  FirmproofError,
  type KeylessStatement,
  type SignerIdentity,
} from '@firmproof/protocol';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toSignedEntity, toTrustMaterial, VerificationError, Verifier } from '@sigstore/verify';

/** At least one of each, always: a keyless signature without log, certificate log or time proves nothing. */
const thresholds = { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 } as const;
/** id-kp-codeSigning (RFC 5280): an authority that issues other certificates too does not make signers of their holders. */
const codeSigning = '1.3.6.1.5.5.7.3.3';

/** Codes of @sigstore/verify; minifying renames its classes, so the code is what tells. */
const codes: Readonly<Record<string, ErrorCode>> = {
  TIMESTAMP_ERROR: 'attestation-untimed',
  CERTIFICATE_ERROR: 'certificate-untrusted',
  SIGNATURE_ERROR: 'attestation-signature-invalid',
  TLOG_ERROR: 'attestation-not-logged',
  TLOG_BODY_ERROR: 'attestation-not-logged',
  TLOG_INCLUSION_PROMISE_ERROR: 'attestation-not-logged',
  TLOG_INCLUSION_PROOF_ERROR: 'attestation-not-logged',
  TLOG_MISSING_INCLUSION_ERROR: 'attestation-not-logged',
};

/**
 * Reads a Sigstore TrustedRoot and makes sure that something can be verified with it.
 * @throws FirmproofError `sigstore-root-malformed`
 */
export function trustMaterialOf(text: string): TrustMaterial {
  const refuse = (why: string, cause?: unknown) => new FirmproofError('sigstore-root-malformed', why, { cause });
  let material: TrustMaterial;
  try {
    material = toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(text)), () => {
      throw new VerificationError({ code: 'PUBLIC_KEY_ERROR', message: 'build keys are not looked up here' });
    });
  } catch (cause) {
    throw refuse('the Sigstore trusted root is no TrustedRoot document', cause);
  }
  for (const name of ['certificateAuthorities', 'tlogs', 'ctlogs'] as const) {
    if (material[name].length === 0) throw refuse(`the Sigstore trusted root names no ${name}`);
  }
  return material;
}

/**
 * A KeylessVerifier by Sigstore's own library. The bundle is built anew from what was parsed, so that both read the same.
 * @throws FirmproofError as `KeylessVerifier` says
 */
export function verifyWithSigstore(attestation: KeylessStatement, trustedRoot: string): SignerIdentity {
  const material = trustMaterialOf(trustedRoot);
  try {
    const bundle = bundleFromJSON({
      mediaType: attestationMediaType,
      verificationMaterial: attestation.material,
      dsseEnvelope: attestation.envelope,
    });
    const { identity } = new Verifier(material, thresholds).verify(toSignedEntity(bundle));
    requireCodeSigning(attestation);
    const { subjectAlternativeName, extensions } = identity ?? {};
    if (subjectAlternativeName === undefined || extensions?.issuer === undefined)
      throw new FirmproofError('certificate-untrusted', 'the certificate names no identity or no issuer');
    return { identity: subjectAlternativeName, issuer: extensions.issuer };
  } catch (error) {
    throw error instanceof FirmproofError ? error : refusal(error);
  }
}

function requireCodeSigning({ material }: KeylessStatement): void {
  const { ca, keyUsage } = new X509Certificate(Buffer.from(material.certificate.rawBytes, 'base64'));
  // Node calls the extended usages keyUsage.
  if (!ca && keyUsage?.includes(codeSigning)) return;
  throw new FirmproofError('certificate-untrusted', 'the certificate is not one for signing code');
}

/** Hostile bytes make the library fail in many ways; each of them is a refusal. */
function refusal(cause: unknown): FirmproofError {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const message = cause instanceof Error ? cause.message.slice(0, 300) : 'it cannot be read';
  return new FirmproofError(
    codes[code] ?? 'attestation-malformed',
    `the keyless attestation does not hold: ${message}`,
    {
      cause,
    },
  );
}
