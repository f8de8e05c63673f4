import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 } from '@noble/hashes/sha2.js';
import * as z from 'zod';
import { base64OfBytes, bytesOfBase64, shortened } from './bytes.ts';
import { FirmproofError } from './errors.ts';

const hexPrefix = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** SubjectPublicKeyInfo is a fixed header before the point for both curves (RFC 5480, RFC 8410). */
const p256Header = hexPrefix('3059301306072a8648ce3d020106082a8648ce3d030107034200');
const ed25519Header = hexPrefix('302a300506032b6570032100');

/** The curve of a public key and its point: 65 bytes uncompressed of P-256, 32 of Ed25519. */
type ReadKey = { readonly curve: 'p256' | 'ed25519'; readonly point: Uint8Array };

/** null where the text is no such key. */
export function readPublicKey(text: string): ReadKey | null {
  const der = text.length <= 200 ? bytesOfBase64(text) : null;
  if (der === null) return null;
  for (const [curve, header, length] of [
    ['p256', p256Header, 65],
    ['ed25519', ed25519Header, 32],
  ] as const) {
    if (der.length !== header.length + length || !header.every((byte, index) => der[index] === byte)) continue;
    const point = der.subarray(header.length);
    try {
      // Refuses points off the curve and the compressed forms: one key has one encoding (A12, A45).
      if (curve === 'p256') {
        if (point[0] !== 4) return null;
        p256.Point.fromBytes(point).assertValidity();
      } else ed25519.Point.fromBytes(point).assertValidity();
      return { curve, point };
    } catch {
      return null;
    }
  }
  return null;
}

/** Whether 65 bytes are the uncompressed form of a point of P-256. */
export function isP256Point(point: Uint8Array): boolean {
  try {
    p256.Point.fromBytes(point).assertValidity();
    return point.length === 65;
  } catch {
    return false;
  }
}

/** A P-256 or Ed25519 public key: base64 of its SubjectPublicKeyInfo in DER. */
export const publicKeySchema = z
  .string()
  .refine((text) => readPublicKey(text) !== null, 'not a P-256 or Ed25519 public key in SPKI form')
  .brand<'PublicKey'>();
export type PublicKey = z.infer<typeof publicKeySchema>;

/** The uncompressed point of a P-256 key, 65 bytes. @throws FirmproofError `key-invalid` for a key of another curve */
export function pointOfPublicKey(key: PublicKey): Uint8Array {
  const read = readPublicKey(key);
  if (read?.curve !== 'p256') throw new FirmproofError('key-invalid', 'not a P-256 key');
  return read.point;
}

/** base64(sha256(SPKI)): the hint of a Sigstore bundle and the keyid of a DSSE signature. */
export type KeyId = string & { readonly __keyId: true };

/** @throws FirmproofError `key-invalid` */
export function parsePublicKey(text: string): PublicKey {
  const parsed = publicKeySchema.safeParse(text);
  if (!parsed.success)
    throw new FirmproofError('key-invalid', `"${shortened(text)}" is not a P-256 or Ed25519 public key`, {
      hint: 'Give base64 of its SubjectPublicKeyInfo in one line: what stands between the first and the last line of its PEM file.',
    });
  return parsed.data;
}

export function keyIdOf(key: PublicKey): KeyId {
  const der = bytesOfBase64(key);
  if (der === null) throw new FirmproofError('key-invalid', 'not base64');
  return base64OfBytes(sha256(der)) as KeyId;
}

/**
 * Whether `signature` is one by `key` over `message`: Ed25519 (RFC 8032, strict), or ECDSA P-256 with SHA-256 in DER.
 * A signature may have a second form that verifies too (A15): count signers, never signatures.
 */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const read = readPublicKey(key);
  if (read === null) return false;
  try {
    return read.curve === 'ed25519'
      ? ed25519.verify(signature, message, read.point, { zip215: false })
      : p256.verify(signature, message, read.point, { format: 'der', lowS: false });
  } catch {
    return false;
  }
}
