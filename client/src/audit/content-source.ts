import { createHash } from 'node:crypto';
import {
  attestationDigest,
  bytesToDigestText,
  type Cid,
  dagPbCodec,
  FirmproofError,
  isFirmproofError,
  maximumAttestationBytes,
  parseCid,
  partsOfCid,
  rawCidOf,
  type Sha256Digest,
} from '@firmproof/protocol';
import * as dagPb from '@ipld/dag-pb';

/** What one place has of a release. `wrong`: it gives other bytes than those that the CID names. */
export type Availability = 'available' | 'missing' | 'wrong' | 'unreachable';

const leafBytes = 1024 * 1024;
const maximumBlockBytes = 2 * 1024 * 1024;
const maximumDepth = 8;
const requestTimeoutMilliseconds = 30_000;

/**
 * How many blocks a file of so many bytes has at most: its layout is laid down (R2 of docs/spec/release.md). A tree of more is not
 * that file, and could be one that nobody reaches the end of.
 */
export const maximumBlocks = (sizeBytes: number): number => 2 * Math.ceil(sizeBytes / leafBytes) + maximumDepth;

class Missing extends Error {}

/** A trustless gateway: the server, or any other place that answers `/ipfs/{cid}?format=raw`. Every block is hashed. */
export class ContentSource {
  readonly label: string;
  readonly #base: string;

  /** @param url http(s); only its host ever shows, for the rest may hold a key (A40) */
  constructor(url: string, name?: string) {
    this.#base = url.replace(/\/+$/, '');
    this.label = name ?? new URL(url).host;
  }

  /** An attestation by the digest that the chain names: one raw block. null where it is not here. @throws FirmproofError `server-unreachable` */
  async attestation(digest: Sha256Digest): Promise<string | null> {
    try {
      const text = new TextDecoder().decode(await this.#block(rawCidOf(digest), maximumAttestationBytes));
      return attestationDigest(text) === digest ? text : null;
    } catch (error) {
      if (error instanceof Missing || (isFirmproofError(error) && error.code === 'block-digest-mismatch')) return null;
      throw error;
    }
  }

  /** Fetches the whole of an image or a document, block by block, and hashes it: nothing of it is kept. */
  async content(
    content: { readonly cid: Cid; readonly sizeBytes: number; readonly digest: Sha256Digest },
    onBytes: (bytes: number) => void = () => undefined,
  ): Promise<Availability> {
    const whole = createHash('sha256');
    let done = 0;
    let blocks = 0;
    const visit = async (cid: Cid, depth: number): Promise<void> => {
      blocks += 1;
      if (blocks > maximumBlocks(content.sizeBytes)) throw wrong('has more blocks than a file of its size');
      const bytes = await this.#block(cid, maximumBlockBytes);
      if (partsOfCid(cid).codec !== dagPbCodec) {
        whole.update(bytes);
        done += bytes.length;
        onBytes(bytes.length);
        if (done > content.sizeBytes) throw wrong('is larger than signed');
        return;
      }
      if (depth === maximumDepth) throw wrong('is too deep');
      for (const { Hash } of decodeNode(bytes).Links) await visit(parseCid(Hash.toString()), depth + 1);
    };
    try {
      await visit(content.cid, 0);
    } catch (error) {
      if (error instanceof Missing) return 'missing';
      if (!isFirmproofError(error)) throw error;
      return error.code === 'server-unreachable' ? 'unreachable' : 'wrong';
    }
    return done === content.sizeBytes && bytesToDigestText(whole.digest()) === content.digest ? 'available' : 'wrong';
  }

  /** One block of an image, hashed; null where it is not here. @throws FirmproofError `server-unreachable`, `block-digest-mismatch` */
  async block(cid: Cid): Promise<Uint8Array | null> {
    try {
      return await this.#block(cid, maximumBlockBytes);
    } catch (error) {
      if (error instanceof Missing) return null;
      throw error;
    }
  }

  async #block(cid: Cid, maximumBytes: number): Promise<Uint8Array> {
    let bytes: Buffer;
    try {
      const response = await fetch(`${this.#base}/ipfs/${cid}?format=raw`, {
        headers: { accept: 'application/vnd.ipld.raw' },
        signal: AbortSignal.timeout(requestTimeoutMilliseconds),
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw response.status >= 500 ? this.#unreachable() : new Missing();
      }
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of response.body ?? []) {
        size += chunk.length;
        if (size > maximumBytes) throw wrong('is larger than a block may be');
        chunks.push(chunk);
      }
      bytes = Buffer.concat(chunks);
    } catch (error) {
      if (error instanceof Missing || isFirmproofError(error)) throw error;
      throw this.#unreachable();
    }
    if (bytesToDigestText(createHash('sha256').update(bytes).digest()) !== partsOfCid(cid).digest)
      throw wrong('does not have the hash of its CID');
    return bytes;
  }

  #unreachable = () => new FirmproofError('server-unreachable', `${this.label} does not answer`);
}

const wrong = (why: string) => new FirmproofError('block-digest-mismatch', `what the source sent ${why}`);

function decodeNode(bytes: Uint8Array) {
  try {
    return dagPb.decode(bytes);
  } catch {
    throw wrong('is no dag-pb');
  }
}
