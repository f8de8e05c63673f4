import { createHash, createPublicKey, verify } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { FirmproofError, type PublicKey, parseSha256Digest, type Sha256Digest, sha256 } from '@firmproof/protocol';
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
export const contentDigest = (body: string): string =>
  `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

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

/** What a signature says of itself, before anything is verified. */
export type MessageSignature = {
  readonly createdSeconds: number;
  readonly keyDigest: Sha256Digest;
  readonly algorithm: MessageSigner['algorithm'];
  readonly tag: string;
};

/** One signature over exactly the four fields, with exactly these parameters (S1.2 of docs/spec/receipts.md). */
const signatureInput =
  /^[a-z][a-z0-9_-]{0,31}=\("@method" "@path" "content-type" "content-digest"\);created=(\d{1,12});keyid="([0-9a-f]{64})";alg="(ed25519|ecdsa-p256-sha256)";tag="([a-z-]{1,40})"$/;

/** How old a receipt may be: the counter stops replays, this what was signed and kept (S1.4). */
export const receiptMaximumAgeSeconds = 30 * 86_400;
const maximumAheadSeconds = 86_400;

/**
 * Reads who says to have signed a message, for which purpose and when; the signature itself is verified by `verifyMessage`.
 * @throws FirmproofError `message-unsigned`, `message-expired`, `message-signature-invalid` for another tag
 */
export function readMessageSignature(
  headers: IncomingHttpHeaders,
  options: {
    readonly tag: string;
    readonly nowSeconds: number;
    /** null: a device that has never seen a block asks too, and knows the time of its image only. */
    readonly maximumAgeSeconds: number | null;
  },
): MessageSignature {
  const input = headers['signature-input'];
  const match = typeof input === 'string' ? signatureInput.exec(input) : null;
  if (match === null || typeof headers['signature'] !== 'string')
    throw new FirmproofError('message-unsigned', 'the message is not signed as it has to be');
  const [, created, keyDigest = '', algorithm, tag = ''] = match;
  if (tag !== options.tag)
    throw new FirmproofError('message-signature-invalid', `the signature is for ${tag}, not for ${options.tag}`);
  const createdSeconds = Number(created);
  const { nowSeconds, maximumAgeSeconds } = options;
  if (maximumAgeSeconds !== null && createdSeconds < nowSeconds - maximumAgeSeconds)
    throw new FirmproofError('message-expired', `the message was signed more than ${maximumAgeSeconds} seconds ago`);
  if (createdSeconds > nowSeconds + maximumAheadSeconds)
    throw new FirmproofError('message-expired', 'the message was signed in the future');
  return {
    createdSeconds,
    keyDigest: parseSha256Digest(keyDigest),
    algorithm: algorithm as MessageSigner['algorithm'],
    tag,
  };
}

/**
 * Verifies a signed POST of JSON: that the body is the one that is signed, and the signature by this key.
 * @throws FirmproofError `message-unsigned`, `message-digest-mismatch`, `message-signature-invalid`
 */
export async function verifyMessage(
  message: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string },
  publicKey: PublicKey,
): Promise<void> {
  const { path, headers, body } = message;
  if (headers['content-digest'] !== contentDigest(body))
    throw new FirmproofError('message-digest-mismatch', 'the body is not the one of the Content-Digest');
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
  const algorithm = key.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'ecdsa-p256-sha256';
  const verified = await httpbis
    .verifyMessage(
      {
        // When it was signed, and what it covers, has been looked at.
        notAfter: Number.POSITIVE_INFINITY,
        keyLookup: async () => ({
          id: digestOf(publicKey),
          algs: [algorithm],
          verify: async (data, signature) =>
            algorithm === 'ed25519'
              ? verify(null, data, key, signature)
              : verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature),
        }),
      },
      // Derived fields are taken from the address; its host is not among those that are signed.
      { method: 'POST', url: `http://firmproof.invalid${path}`, headers: signedHeaders(headers) },
    )
    .catch(() => false);
  // Of a message without a signature the library says null.
  if (verified !== true)
    throw new FirmproofError('message-signature-invalid', 'the signature is not by the key that it names');
}

function signedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const names = ['content-type', 'content-digest', 'signature', 'signature-input'];
  return Object.fromEntries(names.map((name) => [name, String(headers[name] ?? '')]));
}

const digestOf = (publicKey: PublicKey): Sha256Digest => sha256(Buffer.from(publicKey, 'base64'));
