import { createWebhookRequestSchema, parseAddress } from '@firmproof/protocol';
import { type Request, Router } from 'express';
import type { Dependencies } from './dependencies.ts';
import { bodyOf, pageAnswer, pageOptions, parameter } from './parameters.ts';

const noStore = ['cache-control', 'no-store'] as const;
const root = '/v1/publishers/:address/webhooks';

/** Where a publisher is told of what happens, and what became of it. */
export function webhookRoutes({ tokens, webhooks }: Dependencies): Router {
  const router = Router();
  const { store } = webhooks;

  /** The publisher of the path, whose token the request must carry, and the webhook. */
  async function own(request: Request) {
    const publisher = await tokens.require(request, parseAddress(parameter(request, 'address')));
    return { publisher, id: parameter(request, 'id'), delivery: parameter(request, 'delivery') };
  }

  router.post(root, async (request, response) => {
    const { publisher } = await own(request);
    const added = await store.add(publisher, bodyOf(request, createWebhookRequestSchema), await tokens.by(request));
    response
      .status(201)
      .setHeader(...noStore)
      .json(added);
  });

  router.get(root, async (request, response) => {
    const { publisher } = await own(request);
    response.setHeader(...noStore).json({ items: await store.list(publisher) });
  });

  router.delete(`${root}/:id`, async (request, response) => {
    const { publisher, id } = await own(request);
    await store.remove(publisher, id, await tokens.by(request));
    response.status(204).end();
  });

  router.post(`${root}/:id/secret`, async (request, response) => {
    const { publisher, id } = await own(request);
    response.setHeader(...noStore).json(await store.changeSecret(publisher, id, await tokens.by(request)));
  });

  router.post(`${root}/:id/activation`, async (request, response) => {
    const { publisher, id } = await own(request);
    response.setHeader(...noStore).json(await store.enable(publisher, id, await tokens.by(request)));
  });

  router.post(`${root}/:id/test`, async (request, response) => {
    const { publisher, id } = await own(request);
    response
      .status(202)
      .setHeader(...noStore)
      .json(await store.test(publisher, id));
  });

  router.get(`${root}/:id/deliveries`, async (request, response) => {
    const { publisher, id } = await own(request);
    const { limit, after } = pageOptions(request);
    const before = after === null ? null : Number(after) || 0;
    const { rows, items } = await store.deliveries(publisher, id, { limit, before });
    response.setHeader(...noStore).json(pageAnswer(rows, limit, (row) => String(row.position), items));
  });

  router.get(`${root}/:id/deliveries/:delivery`, async (request, response) => {
    const { publisher, id, delivery } = await own(request);
    response.setHeader(...noStore).json(await store.delivery(publisher, id, delivery));
  });

  router.post(`${root}/:id/deliveries/:delivery/redelivery`, async (request, response) => {
    const { publisher, id, delivery } = await own(request);
    response
      .status(202)
      .setHeader(...noStore)
      .json(await store.redeliver(publisher, id, delivery));
  });

  return router;
}
