import { createPublicKey, verify } from 'node:crypto';
import {
  contentDigest,
  type MessageAlgorithm,
  type PublicKey,
  type SignedPost,
  signedFields,
  signedParameters,
  type VerifyBytes,
  verifyMessage as verifySigned,
} from '@firmproof/protocol';
import { httpbis } from 'http-message-signatures';

/** Who signs a message: a device key, whatever it is kept in. */
export type MessageSigner = {
  readonly algorithm: MessageAlgorithm;
  /** sha-256 of the public key's SPKI. */
  readonly digest: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
};

/** The headers of a signed POST of JSON (RFC 9421). */
export async function signMessage(
  url: string,
  body: string,
  signer: MessageSigner,
  options: { readonly tag: string; readonly createdSeconds: number },
): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', 'content-digest': contentDigest(body) };
  const signed = await httpbis.signMessage(
    {
      key: {
        id: signer.digest,
        alg: signer.algorithm,
        sign: async (bytes) => Buffer.from(await signer.sign(bytes)),
      },
      fields: [...signedFields],
      params: [...signedParameters],
      paramValues: { created: new Date(Math.floor(options.createdSeconds) * 1000), tag: options.tag },
    },
    { method: 'POST', url, headers },
  );
  return signed.headers as Record<string, string>;
}

/**
 * Verifies a signed POST of JSON as `verifyMessage` of the protocol does, several times as fast.
 * @throws FirmproofError `message-digest-mismatch`, `message-signature-invalid`
 */
export const verifyMessage = (message: SignedPost, publicKey: PublicKey): void =>
  verifySigned(message, publicKey, verifyNatively);

/** What OpenSSL makes of the same bytes. */
export const verifyNatively: VerifyBytes = (publicKey, algorithm, base, signature) => {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
  if ((key.asymmetricKeyType === 'ed25519') !== (algorithm === 'ed25519')) return false;
  return algorithm === 'ed25519'
    ? verify(null, base, key, signature)
    : verify('sha256', base, { key, dsaEncoding: 'ieee-p1363' }, signature);
};
