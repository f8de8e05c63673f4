import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Cid, dagPbCodec, FirmproofError, parseCid, partsOfCid } from '@firmproof/protocol';
import { CarWriter } from '@ipld/car';
import * as dagPb from '@ipld/dag-pb';
import { type Request, type Response, Router } from 'express';
import { UnixFS } from 'ipfs-unixfs';
import { exporter } from 'ipfs-unixfs-exporter';
import { CID } from 'multiformats/cid';
import rangeParser from 'range-parser';
import { isUnchanged } from '../http/parameters.ts';
import { type ImageStore, linksOf } from './image-store.ts';

/** Content by its hash never changes. */
const immutable = 'public, max-age=29030400, immutable';
/** The empty identity block that clients ask for to see whether a gateway is there. */
const probe = 'bafkqaaa';
const mediaTypes = {
  raw: 'application/vnd.ipld.raw',
  car: 'application/vnd.ipld.car',
  bytes: 'application/octet-stream',
} as const;
type Format = keyof typeof mediaTypes;
type Audience = 'everybody' | 'publisher';
/** What is the publisher's alone stays in no cache on the way: who asks there next brings no token. */
export const cachingFor = (audience: Audience): string => (audience === 'everybody' ? immutable : 'private, no-store');

/**
 * A trustless gateway (specs.ipfs.tech/http-gateways/trustless-gateway) for the images of this server, and plain bytes with
 * Range for convenience. What may be served is asked for each request.
 */
export function createGateway(options: {
  readonly store: ImageStore;
  /** Who may have the block: everybody once its release is installable, its publisher before; null where this caller may not. */
  readonly audienceOf: (cid: Cid, request: Request) => Promise<Audience | null>;
}): Router {
  const { store } = options;
  const router = Router();

  router.get('/ipfs/:cid', async (request, response) => {
    const format = formatOf(request);
    const text = request.params.cid;
    if (text === probe) return sendProbe(response, format);
    const cid = parseCid(text);
    const audience = await options.audienceOf(cid, request);
    if (audience === null || !(await store.has(cid)))
      throw new FirmproofError('block-not-found', `block ${cid} is not here`);
    describe(response, cid, format, format === 'car' ? `.${scopeOf(request)}` : '');
    response.setHeader('cache-control', cachingFor(audience));
    if (isUnchanged(request, String(response.getHeader('etag')))) return void response.status(304).end();
    if (format === 'raw') return sendWhole(response, await store.read(cid));
    if (format === 'car') return sendCar(request, response, store, cid);
    return sendBytes(request, response, store, cid);
  });

  return router;
}

/** `?format=` beats Accept; plain bytes for browsers and download tools. @throws FirmproofError `gateway-format-unsupported` */
function formatOf(request: Request): Format {
  const { format } = request.query;
  if (format === 'raw' || format === 'car') return format;
  if (format !== undefined) throw new FirmproofError('gateway-format-unsupported', 'the format is neither raw nor car');
  const accept = request.get('accept') ?? '*/*';
  if (accept.includes(mediaTypes.raw)) return 'raw';
  if (accept.includes(mediaTypes.car)) return 'car';
  if (request.accepts(mediaTypes.bytes)) return 'bytes';
  throw new FirmproofError('gateway-format-unsupported', 'none of the accepted types is served here');
}

type Scope = 'all' | 'block' | 'entity';

function scopeOf(request: Request): Scope {
  const scope = request.query['dag-scope'] ?? 'all';
  if (scope === 'all' || scope === 'block' || scope === 'entity') return scope;
  throw new FirmproofError('request-invalid', 'dag-scope is all, entity or block');
}

function describe(response: Response, cid: string, format: Format, variant: string): void {
  response.setHeader(
    'content-type',
    format === 'car' ? `${mediaTypes.car}; version=1; order=dfs; dups=n` : mediaTypes[format],
  );
  response.setHeader('content-disposition', `attachment; filename="${cid}.${format === 'bytes' ? 'bin' : format}"`);
  response.setHeader(
    'etag',
    format === 'bytes' ? `"${cid}"` : format === 'car' ? `W/"${cid}.car${variant}"` : `"${cid}.raw"`,
  );
  response.setHeader('vary', 'accept');
  response.setHeader('x-ipfs-path', `/ipfs/${cid}`);
  response.setHeader('x-ipfs-roots', cid);
}

function sendProbe(response: Response, format: Format): void {
  if (format === 'car') throw new FirmproofError('gateway-format-unsupported', 'the probe block is served raw');
  describe(response, probe, format, '');
  response.setHeader('cache-control', immutable);
  sendWhole(response, new Uint8Array());
}

function sendWhole(response: Response, bytes: Uint8Array): void {
  response.setHeader('content-length', bytes.length);
  response.end(Buffer.from(bytes));
}

/** A deterministic CARv1: depth first, each block once. Memory is one block and the links on the way down. */
async function sendCar(request: Request, response: Response, store: ImageStore, root: Cid): Promise<void> {
  const scope = scopeOf(request);
  const version = request.query['car-version'];
  if (version !== undefined && version !== '1')
    throw new FirmproofError('gateway-format-unsupported', 'only CAR version 1 is served');
  response.setHeader('accept-ranges', 'none');
  if (request.method === 'HEAD') return void response.end();
  const { writer, out } = CarWriter.create([CID.parse(root)]);
  const feed = (async () => {
    for await (const { cid, bytes } of blocksDepthFirst(store, root, scope !== 'block')) {
      await writer.put({ cid: CID.parse(cid), bytes });
    }
    await writer.close();
  })();
  const sent = pipeline(Readable.from(out), response);
  // A client that leaves stops the reading, not the server.
  feed.catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  await sent.catch(() => undefined);
}

async function* blocksDepthFirst(
  store: ImageStore,
  root: Cid,
  deep: boolean,
): AsyncGenerator<{ cid: Cid; bytes: Uint8Array }> {
  const seen = new Set<Cid>();
  const stack = [root];
  for (let cid = stack.pop(); cid !== undefined; cid = stack.pop()) {
    if (seen.has(cid)) continue;
    seen.add(cid);
    const bytes = await store.read(cid);
    yield { cid, bytes };
    if (deep) stack.push(...linksOf(cid, bytes).reverse());
  }
}

/** The content itself, with one Range at a time: RAUC streams thousands of small ones. */
export async function sendBytes(request: Request, response: Response, store: ImageStore, cid: Cid): Promise<void> {
  const sizeBytes = sizeOf(cid, await store.read(cid));
  response.setHeader('accept-ranges', 'bytes');
  const range = rangeOf(request, sizeBytes);
  const offset = range?.start ?? 0;
  const length = range === null ? sizeBytes : range.end - range.start + 1;
  if (range !== null) response.status(206).setHeader('content-range', `bytes ${range.start}-${range.end}/${sizeBytes}`);
  response.setHeader('content-length', length);
  if (request.method === 'HEAD' || length === 0) return void response.end();
  const entry = await exporter(CID.parse(cid), store.reader);
  if (entry.type !== 'file' && entry.type !== 'raw') throw new FirmproofError('block-not-found', `${cid} is no file`);
  await pipeline(Readable.from(entry.content({ offset, length })), response).catch(() => undefined);
}

function sizeOf(cid: Cid, bytes: Uint8Array): number {
  if (partsOfCid(cid).codec !== dagPbCodec) return bytes.length;
  const { Data } = dagPb.decode(bytes);
  return Data ? Number(UnixFS.unmarshal(Data).fileSize()) : 0;
}

/** null: the whole. @throws FirmproofError `range-not-satisfiable` */
function rangeOf(request: Request, sizeBytes: number): { start: number; end: number } | null {
  const header = request.get('range');
  if (header === undefined) return null;
  const ranges = rangeParser(sizeBytes, header);
  if (ranges === -1) throw new FirmproofError('range-not-satisfiable', `the content has ${sizeBytes} bytes`);
  // Malformed, or several at once: RFC 9110 lets a server ignore the header.
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return ranges[0] ?? null;
}
