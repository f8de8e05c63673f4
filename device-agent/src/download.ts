import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Cid,
  dagPbCodec,
  type Evidence,
  FirmproofError,
  isFirmproofError,
  parseCid,
  partsOfCid,
  type ReleasePredicate,
  redactUrl,
} from '@firmproof/protocol';
import { isPrivateHost } from '@firmproof/protocol/node/private-host';
import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import type { ImageTarget } from './installers/installer.ts';
import { fetchBounded } from './network/http.ts';
import type { SourceHealth } from './network/source-health.ts';
import { createTokenBucket, type Throttle, unlimited } from './network/token-bucket.ts';
import type { OfflineFile } from './offline/offline-file.ts';

const maximumBlockBytes = 2 * 1024 * 1024;
/** 1024 links of 1 MiB a level: three levels are more than any image needs. */
const maximumDepth = 3;
/** Long enough for the largest block at the lowest rate, or this. */
const leastBlockTimeoutSeconds = 300;
/** Seconds before all sources are asked once more, give or take half of it: what broke off is often back at once. */
const secondTries = [1, 4];

export type DownloadProgress = (writtenBytes: number, totalBytes: number) => void;

/**
 * The gateways to try: the device's own servers, then what the evidence offers, but never a private address that only the
 * evidence names (A27).
 */
export function downloadSources(
  config: { readonly servers: readonly string[] },
  evidence: Pick<Evidence, 'sources'>,
): readonly string[] {
  const offered = evidence.sources
    .map((url) => url.replace(/\/+$/, ''))
    .filter((url) => !isPrivateHost(new URL(url).hostname));
  return [...new Set([...config.servers, ...offered])];
}

/** Sources on the network, and how they are asked. */
export type Gateways = {
  readonly sources: readonly string[];
  readonly minimumBytesPerSecond: number;
  /** How much of the line the download may take; all of it where it is null. */
  readonly maximumBytesPerSecond: number | null;
  readonly health: SourceHealth;
  readonly ownOrigins: ReadonlySet<string>;
};

/**
 * Downloads an image block by block to where it goes. No byte is written before its block hashed to its CID; blocks that are
 * already there from an earlier try are kept. Memory is one block and the links on the way to it.
 * @throws FirmproofError `unavailable`, `redirect-refused`, `block-digest-mismatch`, `image-size-mismatch`, `download-too-slow`,
 * `offline-file-incomplete`
 */
export async function downloadImage(options: {
  readonly image: ReleasePredicate['image'];
  readonly target: ImageTarget;
  readonly from: Gateways | { readonly file: Pick<OfflineFile, 'block'> };
  readonly onProgress?: DownloadProgress;
}): Promise<void> {
  const { image, target, from, onProgress } = options;
  const { cid, sizeBytes } = image;
  const fetchBlock = 'file' in from ? blocksOf(from.file) : createBlockFetcher(from);
  let written = 0;
  for await (const leaf of leaves(fetchBlock, cid, sizeBytes)) {
    const kept = await holds(target, leaf, written);
    const bytes = kept ?? (await leafBytes(fetchBlock, leaf));
    if (written + bytes.length > sizeBytes) throw tooLarge(sizeBytes);
    if (kept === null) await target.write(bytes, written);
    written += bytes.length;
    onProgress?.(written, sizeBytes);
  }
  if (written !== sizeBytes)
    throw new FirmproofError('image-size-mismatch', `the image has ${written} bytes, ${sizeBytes} were signed`);
}

const tooLarge = (sizeBytes: number) =>
  new FirmproofError('image-size-mismatch', `the image has more than the ${sizeBytes} bytes that were signed`);

type Leaf = { readonly cid: Cid; readonly sizeBytes: number | null; readonly bytes?: Uint8Array };
type BlockFetcher = (cid: Cid) => Promise<Uint8Array>;

/** The raw leaves of the image in order. Sizes in the links are only hints; the bytes are what counts. */
async function* leaves(fetchBlock: BlockFetcher, cid: Cid, sizeBytes: number, depth = 0): AsyncGenerator<Leaf> {
  if (partsOfCid(cid).codec !== dagPbCodec) {
    yield { cid, sizeBytes: depth === 0 ? sizeBytes : null };
    return;
  }
  if (depth > maximumDepth)
    throw new FirmproofError('image-size-mismatch', 'the image is nested deeper than any image is');
  const { links, inline } = decodeNode(cid, await fetchBlock(cid));
  if (inline !== null) yield { cid, sizeBytes: inline.length, bytes: inline };
  for (const link of links) {
    if (partsOfCid(link.cid).codec === dagPbCodec) yield* leaves(fetchBlock, link.cid, sizeBytes, depth + 1);
    else yield link;
  }
}

function decodeNode(
  cid: Cid,
  bytes: Uint8Array,
): { readonly links: readonly Leaf[]; readonly inline: Uint8Array | null } {
  try {
    const node = dagPb.decode(bytes);
    const file = node.Data ? UnixFS.unmarshal(node.Data) : null;
    const links = node.Links.map((link, index) => ({
      cid: parseCid(link.Hash.toString()),
      sizeBytes: Number(file?.blockSizes[index] ?? 0) || null,
    }));
    return { links, inline: file?.data && file.data.length > 0 ? file.data : null };
  } catch (cause) {
    throw new FirmproofError('block-digest-mismatch', `block ${cid} is no UnixFS file`, { cause });
  }
}

/** The block, if it is already where it belongs. */
async function holds(target: ImageTarget, leaf: Leaf, position: number): Promise<Uint8Array | null> {
  if (leaf.sizeBytes === null || leaf.sizeBytes > maximumBlockBytes || leaf.bytes) return null;
  const buffer = Buffer.alloc(leaf.sizeBytes);
  const filled = await target.read(buffer, position);
  return filled === buffer.length && isBlock(leaf.cid, buffer) ? buffer : null;
}

/** node:crypto, since a download is mostly this: eight times as fast as the hash that runs everywhere. */
function isBlock(cid: Cid, bytes: Uint8Array): boolean {
  return createHash('sha256').update(bytes).digest('hex') === partsOfCid(cid).digest;
}

function leafBytes(fetchBlock: BlockFetcher, leaf: Leaf): Promise<Uint8Array> {
  return leaf.bytes ? Promise.resolve(leaf.bytes) : fetchBlock(leaf.cid);
}

/** @throws FirmproofError `offline-file-incomplete`, `block-digest-mismatch`, `image-size-mismatch` */
function blocksOf(file: Pick<OfflineFile, 'block'>): BlockFetcher {
  return async (cid) => {
    const bytes = await file.block(cid);
    if (bytes.length <= maximumBlockBytes) return bytes;
    throw new FirmproofError('image-size-mismatch', `block ${cid} has ${bytes.length} bytes, more than any honest one`);
  };
}

/**
 * Asks one source after the other, the healthiest first; every block is hashed before it is used (A26). Where none could be
 * reached, all are asked again a moment later; one that lied is not.
 */
function createBlockFetcher(options: Gateways): BlockFetcher {
  const throttle = throttleOf(options.maximumBytesPerSecond);
  return async (cid) => {
    for (const seconds of secondTries) {
      try {
        return await fromAnySource(options, cid, throttle);
      } catch (error) {
        if (!isFirmproofError(error) || !mayPass(error)) throw error;
        await pause(seconds * (0.5 + Math.random()) * 1000);
      }
    }
    return fromAnySource(options, cid, throttle);
  };
}

/** Nobody answered: a status is an answer, and so are wrong bytes. */
const mayPass = ({ code, details }: FirmproofError) => code === 'unavailable' && details?.['status'] === undefined;

async function fromAnySource(options: Gateways, cid: Cid, throttle: Throttle): Promise<Uint8Array> {
  const { sources, health } = options;
  let failure: FirmproofError | null = null;
  for (const source of health.order(sources)) {
    try {
      const bytes = await blockFrom(source, cid, options, throttle);
      health.worked(source);
      return bytes;
    } catch (error) {
      if (!isFirmproofError(error)) throw error;
      health.failed(source, error);
      // A source that lies says more than one that is silent.
      if (failure === null || failure.code === 'unavailable') failure = error;
    }
  }
  throw failure ?? new FirmproofError('unavailable', 'there is no source for the image', { details: { status: 0 } });
}

async function blockFrom(source: string, cid: Cid, options: Gateways, throttle: Throttle): Promise<Uint8Array> {
  const { minimumBytesPerSecond, health, ownOrigins } = options;
  const limits = {
    maximumBytes: maximumBlockBytes,
    tooLargeCode: 'image-size-mismatch',
    minimumBytesPerSecond,
    timeoutSeconds: Math.max(leastBlockTimeoutSeconds, (2 * maximumBlockBytes) / Math.max(minimumBytesPerSecond, 1)),
  } as const;
  const { status, bytes } = await fetchBounded(`${source}/ipfs/${cid}?format=raw`, limits, {
    headers: { accept: 'application/vnd.ipld.raw' },
    ownOrigins,
    throttle,
    onCertificate: (problem) => health.certificate(source, problem),
  });
  if (status !== 200) {
    throw new FirmproofError('unavailable', `${redactUrl(source)} answers ${status} for a block`, {
      details: { status },
    });
  }
  if (!isBlock(cid, bytes)) {
    throw new FirmproofError('block-digest-mismatch', `${redactUrl(source)} sent other bytes than block ${cid}`);
  }
  return bytes;
}

function throttleOf(bytesPerSecond: number | null): Throttle {
  if (bytesPerSecond === null) return unlimited;
  return createTokenBucket(bytesPerSecond, {
    nowSeconds: () => performance.now() / 1000,
    pause: (seconds) => pause(seconds * 1000),
  });
}
