import {
  anchoredDeviceSchema,
  type Bytes32,
  bytes32Schema,
  deviceListHeader,
  FirmproofError,
  maximumBatchDevices,
  parseDeviceName,
  parseProductId,
} from '@firmproof/protocol';
import express, { type Request, Router } from 'express';
import { requestOf } from '../proposals/proposal-store.ts';
import type { Dependencies } from './dependencies.ts';
import { parameter } from './parameters.ts';

/** A UUID, two values of 32 bytes and what stands between them. */
const lineBytes = 170;
const maximumListBytes = deviceListHeader.length + 1 + maximumBatchDevices * lineBytes;
const listType = 'text/csv';

function hashOf(request: Request, name: string): Bytes32 {
  const parsed = bytes32Schema.safeParse(parameter(request, name));
  if (!parsed.success) throw new FirmproofError('bytes32-invalid', `the ${name} is no 0x and 64 hexadecimal digits`);
  return parsed.data;
}

/** Lists of devices, and what the chain says of them. */
export function deviceAnchorRoutes({
  anchors,
  devices,
  intake,
  tokens,
  store,
  uploadQuota,
  config,
}: Dependencies): Router {
  const router = Router();
  const readList = express.text({ type: listType, limit: maximumListBytes });

  async function requireProposer(request: Request) {
    const owner = await tokens.require(request);
    const product = parseProductId(parameter(request, 'product'));
    await intake.requireProposer(product, owner);
    return { product, owner };
  }

  router.put(
    '/v1/products/:product/device-lists/:root',
    async (request, _response, next) => {
      // Before a byte of the body is read.
      const { owner } = await requireProposer(request);
      hashOf(request, 'root');
      await uploadQuota.require(owner);
      request.setTimeout(config.uploadStallSeconds * 1000, () => request.destroy());
      next();
    },
    readList,
    async (request, response) => {
      const { product, owner } = await requireProposer(request);
      const text: unknown = request.body;
      if (typeof text !== 'string') throw new FirmproofError('device-list-malformed', `the list is no ${listType}`);
      await uploadQuota.count(owner, text.length);
      await anchors.lists.keep(product, hashOf(request, 'root'), text);
      response.status(204).end();
    },
  );

  router.get('/v1/products/:product/device-batches', async (request, response) => {
    const { id } = await intake.productRow(parseProductId(parameter(request, 'product')));
    response.json({ items: await anchors.batches(parseProductId(id)) });
  });

  router.get('/v1/products/:product/device-leaves/:leaf', async (request, response) => {
    const { id } = await intake.productRow(parseProductId(parameter(request, 'product')));
    response.json(await anchors.stateOf(parseProductId(id), hashOf(request, 'leaf')));
  });

  router.get('/v1/products/:product/devices/:device/anchor', async (request, response) => {
    const { product } = await requireProposer(request);
    const { device, key_digest, salt, leaf } = await devices.fleet.row(
      product,
      parseDeviceName(parameter(request, 'device')),
    );
    const state = await anchors.stateOf(product, bytes32Schema.parse(leaf));
    response
      .setHeader('cache-control', 'no-store')
      .json(anchoredDeviceSchema.parse({ ...state, device, keyDigest: key_digest, salt }));
  });

  // As with the attestation of a release: who knows the id may see what is proposed, until anybody can compute the id.
  router.get('/v1/proposals/:id/devices', async (request, response) => {
    const row = await store.find(hashOf(request, 'id'));
    if (!row) throw new FirmproofError('proposal-not-found', 'no proposal with this id');
    const asked = requestOf(row);
    if (asked.kind !== 'anchor-devices')
      throw new FirmproofError('device-list-missing', 'the proposal is not about devices');
    if (row.state === 'confirmed')
      await intake.requireProposer(parseProductId(row.product), await tokens.require(request));
    const { product, root } = asked.body.message;
    response
      .setHeader('cache-control', 'no-store')
      .type(listType)
      .send(await anchors.lists.text(product, root));
  });

  return router;
}
