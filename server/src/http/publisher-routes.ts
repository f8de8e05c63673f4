import { createTokenRequestSchema, FirmproofError, parseAddress } from '@firmproof/protocol';
import { type Request, Router } from 'express';
import type { Dependencies } from './dependencies.ts';
import { bodyOf, parameter } from './parameters.ts';

const maximumLogEntries = 1000;
const noStore = ['cache-control', 'no-store'] as const;

/** What a publisher administers on this server: its tokens; and the log of what was done. */
export function publisherRoutes({ tokens, tokenStore, serverLog, intake }: Dependencies): Router {
  const router = Router();

  /** The publisher of the path, whose token the request must carry. */
  const own = (request: Request) => tokens.require(request, parseAddress(parameter(request, 'address')));

  router.get('/v1/publishers/:address/log', async (request, response) => {
    const owner = await own(request);
    const after = wholeNumber(request, 'after', -1, { from: -1, to: Number.MAX_SAFE_INTEGER });
    const limit = wholeNumber(request, 'limit', 100, { from: 1, to: maximumLogEntries });
    response.setHeader(...noStore).json(await serverLog.page(owner, after, limit));
  });

  router.get('/v1/publishers/:address/tokens', async (request, response) => {
    response.setHeader(...noStore).json({ items: await tokenStore.list(await own(request)) });
  });

  router.post('/v1/publishers/:address/tokens', async (request, response) => {
    const owner = await own(request);
    const body = bodyOf(request, createTokenRequestSchema);
    if (body.product !== undefined) await intake.requireProposer(body.product, owner);
    const made = await tokenStore.make(await tokens.requireBearer(request), body);
    response
      .status(201)
      .setHeader(...noStore)
      .json(made);
  });

  router.delete('/v1/publishers/:address/tokens/:id', async (request, response) => {
    await own(request);
    await tokenStore.revoke(await tokens.requireBearer(request), parameter(request, 'id'));
    response.status(204).end();
  });

  return router;
}

/** @throws FirmproofError `request-invalid` */
function wholeNumber(
  request: Request,
  name: string,
  fallback: number,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const text = request.query[name];
  if (text === undefined) return fallback;
  const value = typeof text === 'string' && /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw new FirmproofError('request-invalid', `${name} is a whole number from ${from} to ${to}`);
}
