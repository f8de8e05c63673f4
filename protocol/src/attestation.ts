import type { Sha256Digest } from './digest.ts';
import { payloadOf } from './dsse.ts';
import type { KeylessMeans, SigstoreTrust } from './keyless.ts';
import type { PublicKey } from './keys.ts';
import { type KeyedStatement, type KeylessStatement, parseSignedStatement, verifySigner } from './signed-statement.ts';
import { parseStatement, type Statement } from './statement.ts';

export const maximumAttestationBytes = 128 * 1024;

type AboutRelease = { readonly statement: Statement };
export type KeyedAttestation = KeyedStatement & AboutRelease;
export type KeylessAttestation = KeylessStatement & AboutRelease;

/**
 * A parsed attestation. Its digest is what the chain commits to, and the CID of its raw block. Parsing proves nothing about
 * the signature: `verifyAttestation` does.
 */
export type Attestation = KeyedAttestation | KeylessAttestation;

const what = 'the attestation';

/**
 * @throws FirmproofError `attestation-malformed`, `attestation-payload-type`, `attestation-keyid-mismatch`,
 *   `attestation-not-logged`, `statement-malformed`, `statement-type`, `statement-predicate-type`
 */
export function parseAttestation(text: string): Attestation {
  const signed = parseSignedStatement(text, { maximumBytes: maximumAttestationBytes, what });
  return { ...signed, statement: parseStatement(payloadOf(signed.envelope)) };
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
  await verifySigner(attestation, trustRoot, means, what);
}
