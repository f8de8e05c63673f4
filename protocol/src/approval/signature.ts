import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { abiWord, type Bytes32, base64OfBytes, fromHex, keccak256, toHex } from '../bytes.ts';
import { type Signer, signerKind, signerPoint } from '../signers.ts';
import { abiBytes, abiTuple } from './approval.ts';

/**
 * Whether a signature over a hash is the signer's, judged as a vendor account would judge it on chain
 * (contracts/src/libraries/SignerSets.sol). For refusing early: the contract decides.
 */
export function isSignedBy(signer: Signer, hash: Bytes32, signature: string): boolean {
  try {
    const bytes = fromHex(signature);
    switch (signerKind(signer)) {
      case 'wallet':
        return isSignedByWallet(signer, fromHex(hash), bytes);
      case 'p256':
        return isP256Signature(signerPoint(signer), fromHex(hash), bytes);
      case 'passkey':
        return isSignedByPasskey(signerPoint(signer), fromHex(hash), bytes);
    }
  } catch {
    return false;
  }
}

/** r ‖ s ‖ v with low s, v 27 or 28. */
function isSignedByWallet(address: string, hash: Uint8Array, signature: Uint8Array): boolean {
  const v = signature[64];
  if (signature.length !== 65 || (v !== 27 && v !== 28)) return false;
  const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact').addRecoveryBit(v - 27);
  if (parsed.hasHighS()) return false;
  const point = parsed.recoverPublicKey(hash).toBytes(false);
  return `0x${keccak256(point.subarray(1)).slice(26)}` === address;
}

/** r ‖ s with low s. */
function isP256Signature(point: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean {
  const key = Uint8Array.of(4, ...point);
  return (
    signature.length === 64 && p256.verify(signature, hash, key, { prehash: false, lowS: true, format: 'compact' })
  );
}

const flags = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10 } as const;

/** OpenZeppelin's WebAuthnAuth: (r, s, challengeIndex, typeIndex, authenticatorData, clientDataJSON). */
function isSignedByPasskey(point: Uint8Array, hash: Uint8Array, encoded: Uint8Array): boolean {
  const word = (at: number) => Number(BigInt(toHex(encoded.subarray(at, at + 32))));
  const bytesAt = (at: number) => {
    const length = word(at);
    if (at + 32 + length > encoded.length) throw new RangeError('out of bounds');
    return encoded.subarray(at + 32, at + 32 + length);
  };
  if (encoded.length < 192) return false;
  const [challengeIndex, typeIndex] = [word(64), word(96)];
  const [authenticatorData, clientData] = [bytesAt(word(128)), bytesAt(word(160))];
  const said = (at: number, text: string) => {
    const expected = utf8ToBytes(text);
    return expected.every((byte, index) => clientData[at + index] === byte);
  };
  const flag = authenticatorData[32] ?? 0;
  const consistent = (flag & flags.backupEligible) !== 0 || (flag & flags.backedUp) === 0;
  return (
    authenticatorData.length > 36 &&
    said(typeIndex, '"type":"webauthn.get"') &&
    said(challengeIndex, `"challenge":"${base64Url(hash)}"`) &&
    (flag & flags.userPresent) !== 0 &&
    (flag & flags.userVerified) !== 0 &&
    consistent &&
    isP256Signature(point, sha256(concatBytes(authenticatorData, sha256(clientData))), encoded.subarray(0, 64))
  );
}

const base64Url = (bytes: Uint8Array) =>
  base64OfBytes(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** A P-256 signature, DER or r ‖ s, as r ‖ s with low s: the one form that is taken (A15). @throws Error for what is none */
export function compactP256Signature(signature: Uint8Array): Uint8Array {
  const parsed = p256.Signature.fromBytes(signature, signature.length === 64 ? 'compact' : 'der');
  const { r, s } = parsed;
  const low = parsed.hasHighS() ? p256.Point.Fn.ORDER - s : s;
  return new p256.Signature(r, low).toBytes('compact');
}

/** What an authenticator answers to navigator.credentials.get, as a vendor account takes it. */
export function encodePasskeySignature(assertion: {
  readonly signature: Uint8Array;
  readonly authenticatorData: Uint8Array;
  readonly clientDataJson: Uint8Array;
}): `0x${string}` {
  const rs = compactP256Signature(assertion.signature);
  const text = new TextDecoder().decode(assertion.clientDataJson);
  return toHex(
    abiTuple(
      [abiBytes(assertion.authenticatorData), abiBytes(assertion.clientDataJson)],
      [rs.subarray(0, 32), rs.subarray(32), abiWord(text.indexOf('"challenge":"')), abiWord(text.indexOf('"type":"'))],
    ),
  );
}
