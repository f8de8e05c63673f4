import { createPublicKey, type KeyObject } from 'node:crypto';
import { type PublicKey, parsePublicKey } from '@firmproof/protocol';

/** The public half of a Node key, in the protocol's form. @throws FirmproofError `key-invalid` */
export function publicKeyOf(key: KeyObject): PublicKey {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return parsePublicKey(publicKey.export({ format: 'der', type: 'spki' }).toString('base64'));
}
