import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 as sha256Hash } from '@noble/hashes/sha2.js';
import { base64OfBytes, bytesOfBase64 } from './bytes.ts';
import { parseSha256Digest, type Sha256Digest } from './digest.ts';
import { FirmproofError } from './errors.ts';
import { type PublicKey, readPublicKey } from './keys.ts';

/** How a device key signs: Ed25519, or ECDSA over P-256 with r ‖ s. */
export type MessageAlgorithm = 'ed25519' | 'ecdsa-p256-sha256';

/** Header fields by their lower-case names, as Node and `fetch` give them. */
export type MessageHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a signature covers, in this order (S1.2 of docs/spec/receipts.md). */
export const signedFields = ['@method', '@path', 'content-type', 'content-digest'] as const;
export const signedParameters = ['created', 'keyid', 'alg', 'tag'] as const;

/** The Content-Digest (RFC 9530) of a body. */
export const contentDigest = (body: string): string =>
  `sha-256=:${base64OfBytes(sha256Hash(new TextEncoder().encode(body)))}:`;

/** What a signature says of itself, before anything is verified. */
export type MessageSignature = {
  readonly createdSeconds: number;
  readonly keyDigest: Sha256Digest;
  readonly algorithm: MessageAlgorithm;
  readonly tag: string;
};

/** One signature over exactly the four fields, with exactly these parameters (S1.2). */
const signatureInput =
  /^([a-z][a-z0-9_-]{0,31})=(\("@method" "@path" "content-type" "content-digest"\);created=(\d{1,12});keyid="([0-9a-f]{64})";alg="(ed25519|ecdsa-p256-sha256)";tag="([a-z-]{1,40})")$/;
/** Both algorithms make 64 bytes. */
const signatureField = /^([a-z][a-z0-9_-]{0,31})=:([A-Za-z0-9+/]{86}==):$/;

/** How old a receipt may be: the counter stops replays, this what was signed and kept (S1.4). */
export const receiptMaximumAgeSeconds = 30 * 86_400;
const maximumAheadSeconds = 86_400;

/**
 * Reads who says to have signed a message, for which purpose and when; the signature itself is verified by `verifyMessage`.
 * @throws FirmproofError `message-unsigned`, `message-expired`, `message-signature-invalid` for another tag
 */
export function readMessageSignature(
  headers: MessageHeaders,
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
  const [, , , created, keyDigest = '', algorithm, tag = ''] = match;
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
    algorithm: algorithm as MessageAlgorithm,
    tag,
  };
}

export type SignedPost = { readonly path: string; readonly headers: MessageHeaders; readonly body: string };

/** Whether these 64 bytes sign `base` by the key. Node has a faster one than the one here. */
export type VerifyBytes = (
  key: PublicKey,
  algorithm: MessageAlgorithm,
  base: Uint8Array,
  signature: Uint8Array,
) => boolean;

/**
 * Verifies a signed POST of JSON: that the body is the one that is signed, and the signature by this key.
 * @throws FirmproofError `message-digest-mismatch`, `message-signature-invalid`
 */
export function verifyMessage(message: SignedPost, publicKey: PublicKey, verify: VerifyBytes = verifyBytes): void {
  if (message.headers['content-digest'] !== contentDigest(message.body))
    throw new FirmproofError('message-digest-mismatch', 'the body is not the one of the Content-Digest');
  const signed = signedPartOf(message);
  if (signed === null || !verify(publicKey, signed.algorithm, signed.base, signed.signature))
    throw new FirmproofError('message-signature-invalid', 'the signature is not by the key that it names');
}

/** The signature base (RFC 9421, 2.5) of a message, with the signature under the same label; null where there is none. */
function signedPartOf({ path, headers }: SignedPost) {
  const [, label, parameters, , , algorithm] = signatureInput.exec(String(headers['signature-input'] ?? '')) ?? [];
  const [, signedLabel, encoded = ''] = signatureField.exec(String(headers['signature'] ?? '')) ?? [];
  const signature = bytesOfBase64(encoded);
  if (label === undefined || label !== signedLabel || signature?.length !== 64) return null;
  const lines = [
    '"@method": POST',
    `"@path": ${path}`,
    `"content-type": ${String(headers['content-type'] ?? '').trim()}`,
    `"content-digest": ${String(headers['content-digest'] ?? '').trim()}`,
    `"@signature-params": ${parameters}`,
  ];
  return { algorithm: algorithm as MessageAlgorithm, signature, base: new TextEncoder().encode(lines.join('\n')) };
}

const verifyBytes: VerifyBytes = (key, algorithm, base, signature) => {
  const read = readPublicKey(key);
  if (read === null || (read.curve === 'ed25519') !== (algorithm === 'ed25519')) return false;
  try {
    return read.curve === 'ed25519'
      ? ed25519.verify(signature, base, read.point, { zip215: false })
      : p256.verify(signature, base, read.point, { format: 'compact', lowS: false });
  } catch {
    return false;
  }
};
