import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DownloadProgress, downloadImage } from '../../../device-agent/src/download.ts';
import type { ImageTarget } from '../../../device-agent/src/installers/installer.ts';
import { SourceHealth } from '../../../device-agent/src/network/source-health.ts';
import { expectCode } from '../../support/expect-code.ts';
import { type Block, isLeaf, leafOf, nodeOver } from '../../support/image-tree.ts';
import { temporaryDirectory } from '../../support/stack.ts';

/** A gateway that is away after so many blocks. */
const served = new Map<string, Uint8Array>();
let asked: string[] = [];
let blocksLeft = Number.POSITIVE_INFINITY;
let gateway: Server;
let url: string;
const directory = temporaryDirectory();

beforeAll(async () => {
  gateway = createServer((request, response) => {
    const cid = /^\/ipfs\/([^/?]+)/.exec(request.url ?? '')?.[1] ?? '';
    const bytes = served.get(cid);
    if (blocksLeft <= 0 || bytes === undefined) return void response.writeHead(503).end();
    blocksLeft -= 1;
    asked.push(cid);
    response.end(bytes);
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
});
afterAll(async () => {
  gateway.closeAllConnections();
  await new Promise((resolve) => gateway.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  served.clear();
  asked = [];
  blocksLeft = Number.POSITIVE_INFINITY;
});

/** A slot in memory, whatever it held before. */
function slotOf(content: Uint8Array): ImageTarget {
  return {
    async read(buffer, position) {
      const part = content.subarray(position, position + buffer.length);
      buffer.set(part);
      return part.length;
    },
    async write(bytes, position) {
      content.set(bytes, position);
    },
    sync: async () => undefined,
    close: async () => undefined,
  };
}

const download = (
  root: Block,
  sizeBytes: number,
  target: ImageTarget,
  change: object = {},
  onProgress?: DownloadProgress,
) =>
  downloadImage({
    image: { cid: root.cid, sizeBytes },
    target,
    from: {
      sources: [url],
      minimumBytesPerSecond: 0,
      maximumBytesPerSecond: null,
      health: SourceHealth.open(directory, () => 1_700_000_000),
      ownOrigins: new Set([url]),
      ...change,
    },
    ...(onProgress && { onProgress }),
  });

/** An image of leaves of these sizes, with so many links to a node; all its blocks are served. */
function treeOf(sizes: readonly number[], width: number) {
  const leaves = sizes.map((size, index) => leafOf(Buffer.alloc(size, `leaf ${index} `)));
  let level: readonly Block[] = leaves;
  const all = [...leaves];
  do {
    const parents: Block[] = [];
    for (let at = 0; at < level.length; at += width) parents.push(nodeOver(level.slice(at, at + width)));
    all.push(...parents);
    level = parents;
  } while (level.length > 1);
  for (const { cid, bytes } of all) served.set(cid, bytes);
  const [root] = level;
  if (root === undefined) throw new Error('a tree has a root');
  return { root, leaves, content: Buffer.concat(leaves.map(({ bytes }) => bytes)) };
}

const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 40 });
const width = fc.integer({ min: 4, max: 50 });

describe('a download that goes on', () => {
  test('asks for exactly the blocks that the slot lacks, whatever it was cut by and wherever the slot was spoiled', () =>
    fc.assert(
      fc.asyncProperty(
        sizes,
        width,
        fc.array(fc.nat(100), { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        async (lengths, links, cuts, spoilt) => {
          const { root, leaves, content } = treeOf(lengths, links);
          const slot = Buffer.alloc(content.length, 0xff);
          for (const cut of cuts) {
            blocksLeft = cut;
            await download(root, content.length, slotOf(slot)).catch(({ code }) => expect(code).toBe('unavailable'));
          }
          for (const at of spoilt) slot[at % slot.length] = (slot[at % slot.length] ?? 0) ^ 1;
          let position = 0;
          const lacking = leaves.filter(({ bytes }) => {
            position += bytes.length;
            return Buffer.compare(slot.subarray(position - bytes.length, position), bytes) !== 0;
          });
          blocksLeft = Number.POSITIVE_INFINITY;
          asked = [];
          await download(root, content.length, slotOf(slot));
          expect(asked.filter((cid) => isLeaf(cid as never))).toEqual(lacking.map(({ cid }) => cid));
          expect(slot.equals(content)).toBe(true);
        },
      ),
      { numRuns: 60 },
    ));

  test('reports how far the slot holds the image, in order, to the end', async () => {
    const { root, content } = treeOf([3000, 5000, 1, 4000], 4);
    const progress: number[] = [];
    await download(root, content.length, slotOf(Buffer.alloc(content.length)), {}, (done) => progress.push(done));
    expect(progress).toEqual([3000, 8000, 8001, 12_001]);
  });
});

describe('a size that was not signed', () => {
  test.each([-1, 1, 5000])('off by %i is refused, and nothing is written past the signed size', async (difference) => {
    const { root, content } = treeOf([4000, 4000, 4000], 2);
    const sizeBytes = content.length + difference;
    const slot = Buffer.alloc(content.length + 10_000, 0xee);
    await expectCode('image-size-mismatch', () => download(root, sizeBytes, slotOf(slot)));
    expect(slot.subarray(sizeBytes).every((byte) => byte === 0xee)).toBe(true);
  });
});

describe('a bandwidth limit', () => {
  test('holds over the whole download', async () => {
    const { root, content } = treeOf(
      Array.from({ length: 30 }, () => 5000),
      10,
    );
    const maximumBytesPerSecond = 100_000;
    const started = performance.now();
    await download(root, content.length, slotOf(Buffer.alloc(content.length)), { maximumBytesPerSecond });
    const seconds = (performance.now() - started) / 1000;
    // The first second's worth may come at once.
    expect(seconds).toBeGreaterThan(content.length / maximumBytesPerSecond - 1 - 0.05);
  });
});

test('a line that breaks once is asked again a moment later', async () => {
  const { root, content } = treeOf([2000, 2000], 4);
  const breaks = createServer((request) => {
    breaks.close();
    request.socket.destroy();
  });
  await new Promise<void>((resolve) => breaks.listen(0, '127.0.0.1', resolve));
  const { port } = breaks.address() as AddressInfo;
  const flaky = `http://127.0.0.1:${port}`;
  breaks.once('close', () => {
    const back = createServer((request, response) => {
      response.setHeader('connection', 'close');
      response.end(served.get(/^\/ipfs\/([^/?]+)/.exec(request.url ?? '')?.[1] ?? ''));
      if (request.url?.includes(lastLeaf)) back.close();
    });
    back.listen(port, '127.0.0.1');
  });
  const lastLeaf = leafOf(content.subarray(2000)).cid;
  const slot = Buffer.alloc(content.length);
  await download(root, content.length, slotOf(slot), { sources: [flaky], ownOrigins: new Set([flaky]) });
  expect(slot.equals(content)).toBe(true);
});
