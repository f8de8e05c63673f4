// Throughput and memory of a download block by block, against plain HTTP with sha-256 of the same bytes in the same run.
import { fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { downloadImage } from '../device-agent/src/download.ts';
import { imageTargetOf } from '../device-agent/src/installers/image-file.ts';
import { SourceHealth } from '../device-agent/src/network/source-health.ts';
import { type Block, leafOf, nodeOver } from '../test/support/image-tree.ts';
import { temporaryDirectory } from '../test/support/stack.ts';
import { figure, median, megabyte } from './figure.ts';

const blockBytes = 1024 * 1024;
const rounds = 5;

type Served = { readonly url: string; readonly cid: Block['cid']; readonly digest: string };

/** The gateway, in a process of its own: the whole image at `/`, its blocks by CID. */
function serve(mebibytes: number): void {
  const leaves = Array.from({ length: mebibytes }, () => leafOf(randomBytes(blockBytes)));
  const root = nodeOver(leaves);
  const blocks = new Map<string, Uint8Array>([root, ...leaves].map(({ cid, bytes }) => [cid, bytes]));
  const hash = createHash('sha256');
  for (const { bytes } of leaves) hash.update(bytes);
  const server = createServer((request, response) => {
    const cid = /^\/ipfs\/([^/?]+)/.exec(request.url ?? '')?.[1];
    if (cid === undefined) Readable.from(leaves.map(({ bytes }) => bytes)).pipe(response);
    else response.end(blocks.get(cid));
  });
  server.listen(0, '127.0.0.1', () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.send?.({ url, cid: root.cid, digest: hash.digest('hex') } satisfies Served);
  });
}

async function plain({ url, digest }: Served, file: FileHandle): Promise<void> {
  const hash = createHash('sha256');
  const [response] = await once(get(url), 'response');
  let position = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    hash.update(chunk);
    await file.write(chunk, 0, chunk.length, position);
    position += chunk.length;
  }
  await file.sync();
  if (hash.digest('hex') !== digest) throw new Error('other bytes came');
}

async function byBlocks({ url, cid }: Served, file: FileHandle, sizeBytes: number, directory: string): Promise<void> {
  await downloadImage({
    image: { cid, sizeBytes },
    target: imageTargetOf(file),
    from: {
      sources: [url],
      minimumBytesPerSecond: 1024,
      maximumBytesPerSecond: null,
      health: SourceHealth.open(directory, () => 0),
      ownOrigins: new Set([url]),
    },
  });
  await file.sync();
}

async function bench(mebibytes: number): Promise<void> {
  const sizeBytes = mebibytes * blockBytes;
  const gateway = fork(new URL(import.meta.url), ['serve', String(mebibytes)]);
  const directory = temporaryDirectory();
  const seconds: Record<'plain' | 'blocks', number[]> = { plain: [], blocks: [] };
  let peakBytes = 0;
  try {
    const [served] = (await once(gateway, 'message')) as [Served];
    const timed = async (what: 'plain' | 'blocks', act: (file: FileHandle) => Promise<void>) => {
      const name = join(directory, what);
      const file = await open(name, 'w+');
      const started = performance.now();
      await act(file);
      seconds[what].push((performance.now() - started) / 1000);
      await file.close();
      await rm(name);
    };
    const before = process.memoryUsage.rss();
    const sampling = setInterval(() => {
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss() - before);
    }, 20);
    // They take turns, so that a slow moment of the machine meets both.
    for (let round = 0; round < rounds; round += 1) {
      await timed('blocks', (file) => byBlocks(served, file, sizeBytes, directory));
      await timed('plain', (file) => plain(served, file));
    }
    clearInterval(sampling);
  } finally {
    gateway.kill();
    await rm(directory, { recursive: true });
  }
  const throughput = (of: 'plain' | 'blocks') => sizeBytes / megabyte / median(seconds[of]);
  figure('download.throughput', throughput('blocks'), 'MB/s', { mebibytes, rounds });
  figure('download.ratio-to-plain', throughput('blocks') / throughput('plain'), 'ratio');
  figure('download.memory', peakBytes / megabyte, 'MB');
}

const [first, second] = process.argv.slice(2);
if (first === 'serve') serve(Number(second));
else await bench(Number(first ?? 256));
