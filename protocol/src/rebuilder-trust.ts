import { parseAttestation } from './attestation.ts';
import type { Sha256Digest } from './digest.ts';
import { isFirmproofError } from './errors.ts';
import type { Version } from './names.ts';
import type { RebuilderTrust, RebuiltRelease } from './rebuild.ts';
import type { TrustRoot } from './trust-root.ts';

/** Which key has signed a release's attestation: none where it is keyless. */
export type Attester = { readonly keyId: string | null };

/** null where the attestation cannot be read. */
export function attesterOf(attestation: string): Attester | null {
  try {
    const parsed = parseAttestation(attestation);
    return { keyId: parsed.kind === 'keyed' ? parsed.hint : null };
  } catch (error) {
    if (isFirmproofError(error)) return null;
    throw error;
  }
}

/**
 * Who counts for a release, nobody who has signed its own attestation being one of them (B4). Where that is not here, its signer was
 * a build key of the trust root then in force; null where that root is not here either, or lists the attestation without its key
 * (V12.2 of docs/spec/audit.md).
 * @param trustRoot the one in force now
 * @param known.attester null where the attestation is not here
 * @param known.rootAtEntry the one that was in force when the release was published
 */
export function rebuilderTrustOf(
  trustRoot: TrustRoot,
  {
    version,
    image,
    attestation,
  }: { readonly version: Version; readonly image: Sha256Digest; readonly attestation: Sha256Digest },
  { attester, rootAtEntry }: { readonly attester: Attester | null; readonly rootAtEntry: TrustRoot | null },
): { readonly trust: RebuilderTrust; readonly release: RebuiltRelease } | null {
  if (attester !== null) return { trust: trustRoot, release: { version, image, attestedBy: attester.keyId } };
  if (rootAtEntry === null || rootAtEntry.acceptedAttestations.includes(attestation)) return null;
  const { product, rebuilders } = trustRoot;
  const buildKeys = [...trustRoot.buildKeys, ...rootAtEntry.buildKeys];
  return { trust: { product, rebuilders, buildKeys }, release: { version, image, attestedBy: null } };
}
