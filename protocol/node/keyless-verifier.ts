import type { KeylessVerifier } from '@firmproof/protocol';

/** Loads Sigstore's library when the first keyless attestation comes, and never where none does: it takes memory. */
const load = () => import('./sigstore.ts');

/** The KeylessVerifier of everything that runs on Node. */
export const keylessVerifier: KeylessVerifier = async (attestation, trustedRoot) =>
  (await load()).verifyWithSigstore(attestation, trustedRoot);

/** @throws FirmproofError `sigstore-root-malformed` */
export async function requireUsableSigstoreRoot(text: string): Promise<void> {
  (await load()).trustMaterialOf(text);
}
