import { FirmproofError, parseChannel, parseProductId } from '@firmproof/protocol';
import { Router } from 'express';
import type { Dependencies } from './dependencies.ts';
import { isUnchanged, parameter } from './parameters.ts';
import { channelResource } from './resources.ts';

/** Heads and evidence: what devices poll, anonymous and cacheable by any CDN. */
export function channelRoutes({ database, evidence, config, nowSeconds }: Dependencies): Router {
  const router = Router();

  router.get('/v1/products/:product/channels/:channel', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const channel = parseChannel(parameter(request, 'channel'));
    const row = await database
      .selectFrom('heads')
      .selectAll()
      .where('product', '=', product)
      .where('channel', '=', channel)
      .executeTakeFirst();
    if (!row) throw new FirmproofError('channel-not-found', `the product has no channel "${channel}"`);
    response.json(channelResource(row, nowSeconds()));
  });

  router.get('/v1/products/:product/channels/:channel/evidence', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const channel = parseChannel(parameter(request, 'channel'));
    const served = await evidence.evidenceFor(product, channel);
    const etag = `"${served.etag}"`;
    response.setHeader('etag', etag);
    response.setHeader('cache-control', `public, max-age=${config.evidenceMaxAgeSeconds}`);
    if (isUnchanged(request, etag)) {
      response.status(304).end();
      return;
    }
    response.type('application/json').send(served.document);
  });

  return router;
}
