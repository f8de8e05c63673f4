import { createPublicKey, type KeyObject } from 'node:crypto';
import { FirmproofError, type PublicKey, parsePublicKey } from '@firmproof/protocol';
import { p256 } from '@noble/curves/nist.js';

/** The public half of a Node key, in the protocol's form. @throws FirmproofError `key-invalid` */
export function publicKeyOf(key: KeyObject): PublicKey {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return parsePublicKey(publicKey.export({ format: 'der', type: 'spki' }).toString('base64'));
}

/**
 * Signs a hash as it is, r ‖ s with low s. (Node's own sign hashes what it is given.)
 * @throws FirmproofError `key-invalid` for a key that is no P-256 key
 */
export function signP256Hash(key: KeyObject, hash: Uint8Array): Uint8Array {
  const { crv, d } = key.export({ format: 'jwk' });
  if (crv !== 'P-256' || d === undefined) throw new FirmproofError('key-invalid', 'not a private P-256 key');
  return p256.sign(hash, Buffer.from(d, 'base64url'), { prehash: false, lowS: true, format: 'compact' });
}
