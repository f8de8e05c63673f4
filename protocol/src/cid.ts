import { hexToBytes } from '@noble/hashes/utils.js';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import * as z from 'zod';
import { bytesToDigestText, type Sha256Digest } from './digest.ts';
import { FirmproofError } from './errors.ts';

export const rawCodec = 0x55;
export const dagPbCodec = 0x70;
const sha2256Code = 0x12;

/** CIDv1 in base32, codec raw or dag-pb, hash sha2-256. Nothing else is ever fetched or served (A27). */
export const cidSchema = z
  .string()
  .max(62)
  .refine((text) => tryParse(text) !== null)
  .brand<'Cid'>();
export type Cid = z.infer<typeof cidSchema>;

function tryParse(text: string): CID | null {
  if (!/^b[a-z2-7]{58}$/.test(text)) return null;
  try {
    const cid = CID.parse(text);
    const allowed = cid.version === 1 && (cid.code === rawCodec || cid.code === dagPbCodec);
    const hashed = cid.multihash.code === sha2256Code && cid.multihash.digest.length === 32;
    return allowed && hashed && cid.toString() === text ? cid : null;
  } catch {
    return null;
  }
}

/** @throws FirmproofError `cid-invalid` */
export function parseCid(text: string): Cid {
  if (tryParse(text) === null) throw new FirmproofError('cid-invalid', 'not a CIDv1 of raw or dag-pb with sha2-256');
  return text as Cid;
}

/** The CID of a single raw block whose bytes have this digest. */
export function rawCidOf(digest: Sha256Digest): Cid {
  return cidOf(rawCodec, digest);
}

export function cidOf(codec: typeof rawCodec | typeof dagPbCodec, digest: Sha256Digest): Cid {
  return CID.createV1(codec, Digest.create(sha2256Code, hexToBytes(digest))).toString() as Cid;
}

/** The digest and codec that a CID stands for. */
export function partsOfCid(cid: Cid): { readonly codec: number; readonly digest: Sha256Digest } {
  const parsed = CID.parse(cid);
  return { codec: parsed.code, digest: bytesToDigestText(parsed.multihash.digest) };
}
