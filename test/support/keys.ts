import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Envelope, keyIdOf, type PublicKey, parsePublicKey, preAuthenticationEncoding } from '@firmproof/protocol';

export type TestKey = {
  readonly privateKey: KeyObject;
  readonly publicKey: PublicKey;
  sign(message: Uint8Array): string;
};

function wrap(
  { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject },
  hash: 'sha256' | null,
): TestKey {
  return {
    privateKey,
    publicKey: parsePublicKey(publicKey.export({ format: 'der', type: 'spki' }).toString('base64')),
    sign: (message) => sign(hash, message, privateKey).toString('base64'),
  };
}

export const ed25519Key = (): TestKey => wrap(generateKeyPairSync('ed25519'), null);
export const p256Key = (): TestKey => wrap(generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sha256');

/** A DSSE envelope signed by the keys. */
export function envelopeOf(payload: Uint8Array | string, payloadType: string, keys: readonly TestKey[]): Envelope {
  const bytes = Buffer.from(payload);
  const message = preAuthenticationEncoding(payloadType, bytes);
  return {
    payload: bytes.toString('base64'),
    payloadType,
    signatures: keys.map((key) => ({ sig: key.sign(message), keyid: keyIdOf(key.publicKey) })),
  };
}
