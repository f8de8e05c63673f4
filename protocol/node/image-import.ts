import { createHash } from 'node:crypto';
import { FirmproofError, parseCid, parseSha256Digest } from '@firmproof/protocol';
import type { ImportedImage } from '@firmproof/protocol/image';
import type { WritableStorage } from 'ipfs-unixfs-importer';
import type { CID } from 'multiformats/cid';
import { roundOfChunks } from './chunks.ts';
import { balancedLayout } from './unixfs-layout.ts';

export type { ImportedImage };

/** How many blocks of 1 MiB are on their way to the sink: ten, as by default, cost memory and win nothing. */
const blocksAtOnce = 2;

/** Keeps nothing: for a client, which only wants digest and CID. */
const nullSink: WritableStorage = { put: (cid: CID) => cid };

/**
 * Streams an image once through sha-256 and the UnixFS import with profile `unixfs-v1-2025` (docs/spec/release.md R2), in
 * constant memory. Vendor and server run this same code, so their CIDs agree. The sink may not hold on to a block once it
 * has put it: its buffer is used again.
 * @throws FirmproofError `image-empty`, `image-too-large`
 */
export async function importImage(
  source: AsyncIterable<Uint8Array>,
  options: {
    readonly sink?: WritableStorage;
    readonly maximumSizeBytes?: number;
    readonly onProgress?: (sizeBytes: number) => void;
  } = {},
): Promise<ImportedImage> {
  const { sink = nullSink, maximumSizeBytes = Number.MAX_SAFE_INTEGER, onProgress } = options;
  const hash = createHash('sha256');
  let sizeBytes = 0;

  async function* measured(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      sizeBytes += chunk.length;
      if (sizeBytes > maximumSizeBytes)
        throw new FirmproofError('image-too-large', `the image is larger than ${maximumSizeBytes} bytes`);
      hash.update(chunk);
      yield chunk;
      onProgress?.(sizeBytes);
    }
    if (sizeBytes === 0) throw new FirmproofError('image-empty', 'the image has no bytes');
  }

  const { importFile } = await import('ipfs-unixfs-importer');
  const round = roundOfChunks(sink, blocksAtOnce + 2);
  const { cid } = await importFile({ content: measured() }, round.sink, {
    profile: 'unixfs-v1-2025',
    chunker: round.chunker,
    layout: balancedLayout(sink),
    blockWriteConcurrency: blocksAtOnce,
  });
  return { digest: parseSha256Digest(hash.digest('hex')), cid: parseCid(cid.toString()), sizeBytes };
}
