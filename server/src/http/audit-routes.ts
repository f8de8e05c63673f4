import { FirmproofError, parseChannel, parseProductId, parseVersion, sha256 } from '@firmproof/protocol';
import { maximumProvenOfEach } from '@firmproof/protocol/audit';
import { type Request, type Response, Router } from 'express';
import type { Dependencies } from './dependencies.ts';
import { isUnchanged, parameter } from './parameters.ts';

/** Final events stay what they are; a rebuilt index is the exception that one hour bounds. */
const immutableSeconds = 3600;
const maximumEntries = 1000;
const defaultEntries = 100;

/** V10 of docs/spec/audit.md: raw events, proofs, transactions. Anonymous and cacheable; the reader checks all of it. */
export function auditRoutes({ audit, intake, config }: Dependencies): Router {
  const router = Router();

  router.get('/v1/products/:product/history', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const after = integer(request, 'after', { least: 0, most: 2 ** 48 - 1, otherwise: 0 });
    const limit = integer(request, 'limit', { least: 1, most: maximumEntries, otherwise: defaultEntries });
    await intake.productRow(product);
    const found = await audit.history.entries(product, after, limit);
    const items = found.slice(0, limit);
    const next = found.length > limit ? String(items.at(-1)?.sequence) : undefined;
    const document = JSON.stringify({ items, ...(next !== undefined && { next }) });
    const etag = sha256(new TextEncoder().encode(document)).slice(0, 32);
    // A page that is full stays as it is; the last one grows.
    send(request, response, { etag, document }, next === undefined ? config.evidenceMaxAgeSeconds : immutableSeconds);
  });

  router.get('/v1/products/:product/proof', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const query = {
      releases: several(request, 'release').map(parseVersion),
      channels: several(request, 'channel').map(parseChannel),
    };
    await intake.productRow(product);
    send(request, response, await audit.proofs.proofOf(product, query), config.evidenceMaxAgeSeconds);
  });

  router.get('/v1/products/:product/history/:sequence/transaction', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const sequence = parameter(request, 'sequence');
    if (!/^[1-9]\d{0,14}$/.test(sequence))
      throw new FirmproofError('request-invalid', 'the number of an entry is an integer from 1');
    await intake.productRow(product);
    const transaction = await audit.history.transaction(product, Number(sequence));
    response.setHeader('cache-control', `public, max-age=${immutableSeconds}`);
    response.json(transaction);
  });

  return router;
}

function send(
  request: Request,
  response: Response,
  answer: { readonly etag: string; readonly document: string },
  maximumAgeSeconds: number,
): void {
  const etag = `"${answer.etag}"`;
  response.setHeader('etag', etag);
  response.setHeader('cache-control', `public, max-age=${maximumAgeSeconds}`);
  if (isUnchanged(request, etag)) response.status(304).end();
  else response.type('application/json').send(answer.document);
}

function integer(
  request: Request,
  name: string,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  const text = request.query[name];
  if (text === undefined) return otherwise;
  const value = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new FirmproofError('request-invalid', `${name} is a number from ${least} to ${most}`);
}

/** The values of a parameter that may be repeated: sorted, each once, so that one question has one answer to keep. */
function several(request: Request, name: string): readonly string[] {
  const given = request.query[name] ?? [];
  const values = [...new Set(Array.isArray(given) ? given.map(String) : [String(given)])].sort();
  if (values.length > maximumProvenOfEach)
    throw new FirmproofError('request-invalid', `at most ${maximumProvenOfEach} of ${name} can be asked for at once`);
  return values;
}
