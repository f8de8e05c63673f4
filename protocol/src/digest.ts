import { sha256 as sha256Hash } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { type Bytes32, parseBytes32 } from './bytes.ts';
import { FirmproofError } from './errors.ts';

/** SHA-256 of some bytes: 64 lower-case hexadecimal digits, as in-toto and IPFS people write it. */
export const sha256DigestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand<'Sha256Digest'>();
export type Sha256Digest = z.infer<typeof sha256DigestSchema>;

/** @throws FirmproofError `digest-invalid` */
export function parseSha256Digest(text: string): Sha256Digest {
  const parsed = sha256DigestSchema.safeParse(text);
  if (!parsed.success) throw new FirmproofError('digest-invalid', 'not a SHA-256 digest');
  return parsed.data;
}

export function sha256(bytes: Uint8Array): Sha256Digest {
  return bytesToHex(sha256Hash(bytes)) as Sha256Digest;
}

/** The digest as the registry stores it. */
export function bytes32OfDigest(digest: Sha256Digest): Bytes32 {
  return parseBytes32(`0x${digest}`);
}

export function digestOfBytes32(word: Bytes32): Sha256Digest {
  return parseSha256Digest(word.slice(2));
}

/** The text form of 32 bytes that some hash function has produced. */
export function bytesToDigestText(bytes: Uint8Array): Sha256Digest {
  return parseSha256Digest(bytesToHex(bytes));
}
