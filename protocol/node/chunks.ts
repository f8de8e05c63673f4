import type { WritableStorage } from 'ipfs-unixfs-importer';
import type { Chunker } from 'ipfs-unixfs-importer/chunker';

/** Profile unixfs-v1-2025. */
const chunkBytes = 1 << 20;

/**
 * Cuts a stream into chunks of 1 MiB, in a few buffers that go round: the collector of garbage would otherwise have to keep up
 * with two copies of the whole image, and does so when it likes. `sink` gives a buffer back once its block is written;
 * nobody may hold on to a block after that.
 * @param buffers more than blocks that are on their way to the sink at once
 */
export function roundOfChunks(sink: WritableStorage, buffers: number): { chunker: Chunker; sink: WritableStorage } {
  const free: Uint8Array[] = Array.from({ length: buffers }, () => new Uint8Array(chunkBytes));
  const waiting: ((buffer: Uint8Array) => void)[] = [];
  const owned = new Set<ArrayBufferLike>(free.map(({ buffer }) => buffer));

  const take = (): Promise<Uint8Array> | Uint8Array =>
    free.pop() ?? new Promise<Uint8Array>((resolve) => waiting.push(resolve));

  function giveBack(block: unknown): void {
    if (!(block instanceof Uint8Array) || !owned.has(block.buffer)) return;
    const buffer = new Uint8Array(block.buffer);
    const next = waiting.shift();
    if (next) next(buffer);
    else free.push(buffer);
  }

  async function* chunker(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let buffer = await take();
    let filled = 0;
    for await (const piece of source) {
      for (let at = 0; at < piece.length; ) {
        const length = Math.min(chunkBytes - filled, piece.length - at);
        buffer.set(piece.subarray(at, at + length), filled);
        filled += length;
        at += length;
        if (filled < chunkBytes) continue;
        yield buffer;
        buffer = await take();
        filled = 0;
      }
    }
    if (filled > 0) yield buffer.subarray(0, filled);
  }

  return {
    chunker: chunker as Chunker,
    sink: {
      async put(cid, block, options) {
        try {
          return await sink.put(cid, block, options);
        } finally {
          giveBack(block);
        }
      },
    },
  };
}
