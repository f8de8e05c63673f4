import { createHash } from 'node:crypto';
import { httpbis } from 'http-message-signatures';

/** Who signs a message: a device key, whatever it is kept in. */
export type MessageSigner = {
  readonly algorithm: 'ed25519' | 'ecdsa-p256-sha256';
  /** sha-256 of the public key's SPKI. */
  readonly digest: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
};

const signedFields = ['@method', '@path', 'content-type', 'content-digest'];
const signedParameters = ['created', 'keyid', 'alg', 'tag'];

/** The Content-Digest (RFC 9530) of a body. */
const contentDigest = (body: string): string => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

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
      fields: signedFields,
      params: signedParameters,
      paramValues: { created: new Date(Math.floor(options.createdSeconds) * 1000), tag: options.tag },
    },
    { method: 'POST', url, headers },
  );
  return signed.headers as Record<string, string>;
}
