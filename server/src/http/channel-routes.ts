import { type Channel, FirmproofError, type ProductId, parseChannel, parseProductId } from '@firmproof/protocol';
import { type Request, Router } from 'express';
import type { Dependencies } from './dependencies.ts';
import { isUnchanged, parameter } from './parameters.ts';
import { channelResource, headsOf } from './resources.ts';

/** Heads and evidence: what devices poll, anonymous and cacheable by any CDN. */
export function channelRoutes({ database, evidence, stops, tokens, intake, config, nowSeconds }: Dependencies): Router {
  const router = Router();

  router.get('/v1/products/:product/channels/:channel', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const channel = parseChannel(parameter(request, 'channel'));
    response.json(channelResource(await headOf(product, channel), nowSeconds()));
  });

  async function headOf(product: ProductId, channel: Channel) {
    const row = await headsOf(database, product).where('heads.channel', '=', channel).executeTakeFirst();
    if (!row) throw new FirmproofError('channel-not-found', `the product has no channel "${channel}"`);
    return row;
  }

  /** Publisher or guardian: a token can delay an update, and that is all that a stop does. */
  async function ownChannel(request: Request): Promise<{ product: ProductId; channel: Channel }> {
    const owner = await tokens.require(request);
    const product = parseProductId(parameter(request, 'product'));
    await intake.requireProposer(product, owner);
    return { product, channel: parseChannel(parameter(request, 'channel')) };
  }

  router.post('/v1/products/:product/channels/:channel/stop', async (request, response) => {
    const { product, channel } = await ownChannel(request);
    const head = await headOf(product, channel);
    await stops.stop(
      product,
      channel,
      { version: head.version, counter: Number(head.counter) },
      await tokens.by(request),
    );
    response.json(await stops.find(product, channel));
  });

  router.delete('/v1/products/:product/channels/:channel/stop', async (request, response) => {
    const { product, channel } = await ownChannel(request);
    await stops.resume(product, channel, await tokens.by(request));
    response.status(204).end();
  });

  router.get('/v1/products/:product/channels/:channel/evidence', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const channel = parseChannel(parameter(request, 'channel'));
    const stopped = await stops.find(product, channel);
    if (stopped) throw new FirmproofError('channel-stopped', `the vendor has stopped "${channel}" on this server`);
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
