import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { join } from 'node:path';
import { type PublicKey, type Sha256Digest, sha256 } from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node/keys';

/** The names that HTTP Message Signatures (RFC 9421) have for them. */
export const deviceKeyAlgorithms = ['ed25519', 'ecdsa-p256-sha256'] as const;
export type DeviceKeyAlgorithm = (typeof deviceKeyAlgorithms)[number];

/** The key of this device. A key in a chip is another one of these: nobody else ever sees the private half. */
export interface DeviceKey {
  readonly algorithm: DeviceKeyAlgorithm;
  readonly publicKey: PublicKey;
  /** sha-256 of the public key's SPKI: the name of the key. */
  readonly digest: Sha256Digest;
  /** 64 bytes; those of P-256 are r ‖ s. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export const deviceKeyFile = (dataDirectory: string): string => join(dataDirectory, 'device.key');

/** A new private key as PEM. */
export function generateDeviceKey(algorithm: DeviceKeyAlgorithm): string {
  const { privateKey } =
    algorithm === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
}

/** @throws an error of node:crypto for what is no key of a known kind */
export function deviceKeyOf(pem: string): DeviceKey {
  const key = createPrivateKey(pem);
  const publicKey = publicKeyOf(key);
  const isEd25519 = key.asymmetricKeyType === 'ed25519';
  return {
    algorithm: isEd25519 ? 'ed25519' : 'ecdsa-p256-sha256',
    publicKey,
    digest: sha256(Buffer.from(publicKey, 'base64')),
    sign: async (bytes) =>
      isEd25519 ? sign(null, bytes, key) : sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }),
  };
}
