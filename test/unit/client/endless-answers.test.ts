// Whoever signs a statement may name any tree of blocks, and nodes say what they like: no audit and no monitor loses itself in it (A48).
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ContentSource, FirmproofClient } from '@firmproof/client';
import { parseCid, parseVersion, rawCidOf, sha256 } from '@firmproof/protocol';
import { ProductHistory } from '@firmproof/protocol/audit';
import * as dagPb from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RpcNode } from '../../../client/src/audit/rpc-node.ts';
import { firstLostBlock } from '../../../client/src/monitor/follow/content.ts';
import { lookAtReleases } from '../../../client/src/monitor/follow/server-check.ts';

const blocks = new Map<string, Uint8Array>();
/** Blanks, which JSON may have as many of as it likes. */
const bomb = gzipSync(Buffer.alloc(80 * 1024 * 1024, ' '));
let server: Server;
let source: ContentSource;
let asked = 0;
let refusal = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    asked += 1;
    if (request.method === 'POST') return response.end(JSON.stringify({ id: 1, error: { code: 1, message: refusal } }));
    if (request.url?.startsWith('/v1/products')) return response.end(JSON.stringify({ items: [], next: 'more' }));
    if (request.url === '/v1/info') return response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    const bytes = blocks.get(/^\/ipfs\/(\w+)/.exec(request.url ?? '')?.[1] ?? '');
    return response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  source = new ContentSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => server.close());

function leaf(bytes: Uint8Array): CID {
  const cid = rawCidOf(sha256(bytes));
  blocks.set(cid, bytes);
  return CID.parse(cid);
}

function node(child: CID, times: number): CID {
  const links = Array.from({ length: times }, () => ({ Name: '', Tsize: 1, Hash: child }));
  const bytes = dagPb.encode(dagPb.prepare({ Data: new Uint8Array(), Links: links }));
  const cid = CID.createV1(dagPb.code, create(0x12, createHash('sha256').update(bytes).digest()));
  blocks.set(cid.toString(), bytes);
  return cid;
}

test.each([
  ['of empty leaves', () => node(node(node(leaf(new Uint8Array()), 1000), 1000), 1000)],
  ['of nodes alone', () => node(node(node(node(node(node(leaf(Buffer.from('x')), 0), 500), 500), 500), 500), 500)],
])('a tree %s without an end is left soon', async (_, tree) => {
  const content = { cid: parseCid(tree().toString()), sizeBytes: 100, digest: sha256(Buffer.from('x')) };
  asked = 0;
  expect(await source.content(content)).toBe('wrong');
  expect(await firstLostBlock(content, [source], 4)).not.toBeNull();
  expect(asked).toBeLessThan(50);
});

test('a node that has much to say about an error keeps nobody busy', async () => {
  refusal = 'exceeded '.repeat(200_000);
  const { port } = server.address() as AddressInfo;
  const answer = new RpcNode(`http://127.0.0.1:${port}`, 1).call('eth_chainId', [], 1);
  await expect(answer).rejects.toThrow(/^exceeded .{0,200}$/);
});

test('an answer of the server that never ends is left, packed as it may be', async () => {
  const { port } = server.address() as AddressInfo;
  const client = new FirmproofClient({ server: `http://127.0.0.1:${port}` });
  const answer = expect.objectContaining({ code: 'server-unreachable', message: expect.stringContaining('more than') });
  await expect(client.info()).rejects.toEqual(answer);
  // Pages that say that there are more, and have none.
  asked = 0;
  for await (const product of client.products()) expect(product).toBeUndefined();
  expect(asked).toBe(1);
});

test('a list of releases that never ends keeps no monitor from anything else', async () => {
  const client = {
    async *releases() {
      for (let patch = 0; ; patch += 1) yield { version: parseVersion(`9.9.${patch}`) };
    },
  };
  const followed = { watched: { product: '0x' }, history: new ProductHistory() };
  const found = await lookAtReleases(client as never, followed as never, { intervalSeconds: 1 } as never);
  expect(found).toHaveLength(11);
  expect(found.at(-1)).toMatchObject({ code: 'server-disagrees', subject: 'releases' });
});

test('a whole file is found', async () => {
  const bytes = Buffer.from('a file');
  const content = { cid: parseCid(leaf(bytes).toString()), sizeBytes: bytes.length, digest: sha256(bytes) };
  expect(await source.content(content)).toBe('available');
  expect(await firstLostBlock(content, [source], 4)).toBeNull();
});
