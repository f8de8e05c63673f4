import type { SignatureCase } from './case.ts';
import { p256Cases } from './p256-cases.ts';
import { passkeyCases } from './passkey-cases.ts';
import { walletCases } from './wallet-cases.ts';

export const signatureVectorsFile = new URL('../../../docs/spec/vectors/signatures.json', import.meta.url);

export function signatureVectors(): SignatureCase[] {
  return [...p256Cases(), ...passkeyCases(), ...walletCases()];
}
