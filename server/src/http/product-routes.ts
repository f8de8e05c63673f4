import {
  FirmproofError,
  type ProductId,
  parseProductId,
  parseSha256Digest,
  parseVersion,
  productIdSchema,
  registerRequestSchema,
} from '@firmproof/protocol';
import { Router } from 'express';
import type { Dependencies } from './dependencies.ts';
import { bodyOf, pageAnswer, pageOptions, parameter } from './parameters.ts';
import { productResource, releaseResource, releasesOf } from './resources.ts';

/** Products, trust roots and releases: anonymous, cacheable reading; registration. */
export function productRoutes({
  database,
  intake,
  tokens,
  trustRoots,
  rebuilds,
  nowSeconds,
  wake,
}: Dependencies): Router {
  const router = Router();

  router.post('/v1/products', async (request, response) => {
    const body = bodyOf(request, registerRequestSchema);
    await tokens.require(request, body.message.publisher);
    response.status(202).json(await intake.register(body));
    wake();
  });

  router.get('/v1/products', async (request, response) => {
    const { limit, after } = pageOptions(request);
    let query = database
      .selectFrom('products')
      .selectAll()
      .orderBy('id')
      .limit(limit + 1);
    if (after !== null) query = query.where('id', '>', after);
    const rows = await query.execute();
    const items = await Promise.all(rows.slice(0, limit).map((row) => productResource(database, row, nowSeconds())));
    response.json(pageAnswer(rows, limit, (row) => row.id, items));
  });

  router.get('/v1/products/:product', async (request, response) => {
    const row = await intake.productRow(parseProductId(parameter(request, 'product')));
    response.json(await productResource(database, row, nowSeconds()));
  });

  router.get('/v1/products/:product/trust-roots', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const { after } = request.query;
    const held = typeof after === 'string' ? parseSha256Digest(after) : null;
    const items = await trustRoots.published(product, held);
    if (items.length === 0 && held === null) await intake.productRow(product);
    response.json({ items });
  });

  router.get('/v1/products/:product/sigstore-root', async (request, response) => {
    const row = await intake.productRow(parseProductId(parameter(request, 'product')));
    const text = await trustRoots.sigstoreRootOf(await trustRoots.byDigest(row.trust_root));
    if (text === undefined) throw new FirmproofError('not-found', 'the trust root of this product names no identities');
    response.type('application/json').send(text);
  });

  router.get('/v1/products/:product/releases', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const owner = await tokens.publisherOf(request);
    const row = await intake.productRow(product);
    const { limit, after } = pageOptions(request);
    let query = releasesOf(database, product)
      .orderBy('sequence', 'desc')
      .limit(limit + 1);
    if (after !== null) query = query.where('sequence', '<', Number(after) || 0);
    const rows = await query.execute();
    const images = await imagesOf(product);
    const counts = await rebuilds.counts(product, () => trustRoots.byDigest(row.trust_root));
    const items = rows.map((release) => {
      const isSeen = maySee(release, owner === row.publisher);
      return releaseResource(release, images.get(release.image), isSeen, counts.get(release.version));
    });
    response.json(pageAnswer(rows, limit, (release) => String(release.sequence), items));
  });

  router.get('/v1/products/:product/releases/:version', async (request, response) => {
    const { release, isOwner, trustRoot } = await releaseOf(request);
    const product = productIdSchema.parse(release.product);
    const image = (await imagesOf(product)).get(release.image);
    const counts = await rebuilds.counts(product, () => trustRoots.byDigest(trustRoot));
    response.json(releaseResource(release, image, maySee(release, isOwner), counts.get(release.version)));
  });

  router.get('/v1/products/:product/releases/:version/attestation', async (request, response) => {
    const { release, isOwner } = await releaseOf(request);
    if (!maySee(release, isOwner))
      throw new FirmproofError('not-installable-yet', 'the attestation is announced when the release is installable');
    const row = await database
      .selectFrom('attestations')
      .select('text')
      .where('digest', '=', release.attestation)
      .executeTakeFirst();
    if (!row) throw new FirmproofError('release-not-found', 'this server does not have the attestation');
    response.type('application/json').send(row.text);
  });

  async function releaseOf(request: Parameters<typeof parameter>[0]) {
    const product = parseProductId(parameter(request, 'product'));
    const version = parseVersion(parameter(request, 'version'));
    const owner = await tokens.publisherOf(request);
    const { publisher, trust_root: trustRoot } = await intake.productRow(product);
    const release = await releasesOf(database, product).where('version', '=', version).executeTakeFirst();
    if (!release) throw new FirmproofError('release-not-found', `no release ${version}`);
    return { release, isOwner: owner === publisher, trustRoot };
  }

  async function imagesOf(product: ProductId) {
    const rows = await database
      .selectFrom('images')
      .select(['digest', 'cid', 'size'])
      .where('product', '=', product)
      .execute();
    return new Map(rows.map((image) => [image.digest, image]));
  }

  const maySee = (release: { installable_from: number }, isOwner: boolean) =>
    isOwner || Number(release.installable_from) <= nowSeconds();

  return router;
}
