import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  claimTokenRequestSchema,
  type EnrolmentState,
  enrolmentStates,
  FirmproofError,
  type ProductId,
  parseDeviceName,
  parseProductId,
  parseSha256Digest,
} from '@firmproof/protocol';
import { type Request, Router } from 'express';
import { deviceResource } from '../devices/device-rows.ts';
import { positionBefore } from '../devices/receipt-register.ts';
import type { Dependencies } from './dependencies.ts';
import { bodyOf, pageAnswer, pageOptions, parameter } from './parameters.ts';

const listType = 'text/csv';
const noStore = ['cache-control', 'no-store'] as const;

/** The devices of a product, for its vendor: read by publisher and guardian, changed by the publisher alone. */
export function deviceRoutes({ anchors, devices, intake, tokens, uploadQuota, config }: Dependencies): Router {
  const router = Router();
  const { claimTokens, enrolments, fleet, imports, register, timeline } = devices;

  async function forReading(request: Request): Promise<ProductId> {
    const owner = await tokens.require(request);
    const product = parseProductId(parameter(request, 'product'));
    await intake.requireProposer(product, owner);
    return product;
  }

  async function forWriting(request: Request) {
    const owner = await tokens.require(request);
    const product = parseProductId(parameter(request, 'product'));
    const { publisher } = await intake.productRow(product);
    if (owner !== publisher)
      throw new FirmproofError('token-scope', 'only the publisher says whose devices are its own');
    return { product, owner, by: await tokens.by(request) };
  }

  router.get('/v1/products/:product/devices', async (request, response) => {
    const product = await forReading(request);
    const { limit, after } = pageOptions(request);
    const { flagged } = request.query;
    const rows = await fleet.rows(product, { limit, after, state: askedState(request), flagged: flagged === 'true' });
    const items = rows.slice(0, limit).map(deviceResource);
    response.setHeader(...noStore).json(pageAnswer(rows, limit, (row) => row.key_digest, items));
  });

  router.get('/v1/products/:product/fleet', async (request, response) => {
    const product = await forReading(request);
    response.setHeader(...noStore).json(await fleet.summary(product));
  });

  router.get('/v1/products/:product/fleet/timeline', async (request, response) => {
    const product = await forReading(request);
    response.setHeader(...noStore).json(await timeline.read(product));
  });

  router.get('/v1/products/:product/receipts', async (request, response) => {
    const product = await forReading(request);
    const { limit, after } = pageOptions(request);
    const { kind, from } = request.query;
    const start = after ?? (from === undefined ? null : positionBefore(parseSha256Digest(String(from))));
    const rows = await register.rows(product, { limit, after: start, outcomes: kind === 'outcome' });
    const items = rows.map(({ receipt }) => receipt);
    response.setHeader(...noStore).json(pageAnswer(rows, limit, ({ key }) => key, items));
  });

  router.get('/v1/products/:product/device-list', async (request, response) => {
    const product = await forReading(request);
    response.setHeader(...noStore).type(listType);
    const without = request.query['unanchored'] === 'true' ? await anchors.anchoredLeaves(product) : undefined;
    await pipeline(Readable.from(fleet.list(product, without)), response);
  });

  router.get('/v1/products/:product/devices/:device', async (request, response) => {
    const product = await forReading(request);
    response.setHeader(...noStore).json(await fleet.device(product, parseDeviceName(parameter(request, 'device'))));
  });

  router.post('/v1/products/:product/devices/:device/acceptance', async (request, response) => {
    const { product, by } = await forWriting(request);
    response.json(await enrolments.accept(product, parseDeviceName(parameter(request, 'device')), by));
  });

  router.post('/v1/products/:product/devices/:device/rejection', async (request, response) => {
    const { product, by } = await forWriting(request);
    response.json(await enrolments.reject(product, parseDeviceName(parameter(request, 'device')), by));
  });

  router.post('/v1/products/:product/claim-tokens', async (request, response) => {
    const { product, by } = await forWriting(request);
    const body = bodyOf(request, claimTokenRequestSchema);
    response
      .status(201)
      .setHeader(...noStore)
      .json(await claimTokens.mint(product, body, by));
  });

  router.delete('/v1/products/:product/claim-tokens/:id', async (request, response) => {
    const { product, by } = await forWriting(request);
    await claimTokens.revoke(product, parameter(request, 'id'), by);
    response.status(204).end();
  });

  router.post('/v1/products/:product/factory-lists', async (request, response) => {
    const { product, owner, by } = await forWriting(request);
    if (request.is(listType) === false)
      throw new FirmproofError('factory-list-malformed', `the list is no ${listType}`);
    await uploadQuota.require(owner);
    request.setTimeout(config.uploadStallSeconds * 1000, () => request.destroy());
    let sizeBytes = 0;
    const counted = async function* () {
      for await (const chunk of request) {
        sizeBytes += chunk.length;
        if (sizeBytes > maximumListBytes)
          throw new FirmproofError('factory-list-malformed', `a list has at most ${maximumListBytes} bytes`);
        yield chunk as Uint8Array;
      }
    };
    try {
      response.json(await imports.run(product, counted(), by));
    } finally {
      await uploadQuota.count(owner, sizeBytes);
    }
  });

  return router;
}

/** A million devices with a kilobyte each. */
const maximumListBytes = 2 ** 30;

function askedState(request: Request): EnrolmentState | null {
  const { state } = request.query;
  if (state === undefined) return null;
  const found = enrolmentStates.find((known) => known === state);
  if (found) return found;
  throw new FirmproofError('request-invalid', `state is one of ${enrolmentStates.join(', ')}`);
}
