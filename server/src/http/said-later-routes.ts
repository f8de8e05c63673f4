import {
  advisoryIdSchema,
  FirmproofError,
  parseProductId,
  parseVersion,
  signedStatementRequestSchema,
} from '@firmproof/protocol';
import { type Request, Router } from 'express';
import type { Dependencies } from './dependencies.ts';
import { bodyOf, pageAnswer, pageOptions, parameter } from './parameters.ts';
import { createRateLimit } from './rate-limit.ts';
import { releasesOf } from './resources.ts';

/** Anybody may knock: each knock costs a signature at most. */
const rebuildsPerMinute = 60;

/** Rebuilds and advisories: what is signed about releases after they were recorded (docs/spec/rebuilds-and-advisories.md). */
export function saidLaterRoutes(dependencies: Dependencies): Router {
  const { database, rebuilds, advisories, intake, tokens, trustRoots, wake, nowSeconds } = dependencies;
  const router = Router();
  const may = createRateLimit({ perMinute: rebuildsPerMinute, nowSeconds });

  async function productOf(request: Request) {
    const product = parseProductId(parameter(request, 'product'));
    const row = await intake.productRow(product);
    return { product, root: () => trustRoots.byDigest(row.trust_root) };
  }

  async function releaseOf(request: Request) {
    const { product, root } = await productOf(request);
    const version = parseVersion(parameter(request, 'version'));
    const release = await releasesOf(database, product).where('version', '=', version).executeTakeFirst();
    if (!release) throw new FirmproofError('release-not-found', `no release ${version}`);
    return { product, root, release };
  }

  /** Without a token: the signature says who it is, and the trust root who counts (B5). */
  router.post('/v1/products/:product/releases/:version/rebuilds', async (request, response) => {
    if (!may(request.socket.remoteAddress ?? ''))
      throw new FirmproofError('quota-exceeded', `at most ${rebuildsPerMinute} rebuilds a minute from one address`);
    const { release, root } = await releaseOf(request);
    const { attestation } = bodyOf(request, signedStatementRequestSchema);
    const { item, isNew } = await rebuilds.receive(attestation, release, await root());
    response.status(isNew ? 201 : 200).json(item);
    wake();
  });

  router.get('/v1/products/:product/releases/:version/rebuilds', async (request, response) => {
    const { product, release } = await releaseOf(request);
    response.json({ items: await rebuilds.list(product, release.version) });
  });

  router.post('/v1/products/:product/advisories', async (request, response) => {
    const owner = await tokens.require(request);
    const { product, root } = await productOf(request);
    await intake.requireProposer(product, owner);
    const { attestation } = bodyOf(request, signedStatementRequestSchema);
    const trustRoot = await root();
    const means = await trustRoots.keylessMeans(trustRoot);
    const { item, isNew } = await advisories.receive(attestation, product, trustRoot, means);
    response.status(isNew ? 201 : 200).json(item);
    wake();
  });

  router.get('/v1/products/:product/advisories', async (request, response) => {
    const { product, root } = await productOf(request);
    const { version } = request.query;
    const about = typeof version === 'string' ? parseVersion(version) : null;
    const { limit, after } = pageOptions(request);
    const all = await advisories.list(product, root, about);
    const rows = (after === null ? all : all.filter(({ id }) => id > after)).slice(0, limit + 1);
    const items = rows.map(({ id: _id, ...item }) => item);
    response.json(pageAnswer(rows, limit, ({ id }) => id, items));
  });

  router.get('/v1/products/:product/advisories/:id', async (request, response) => {
    const { product } = await productOf(request);
    const id = advisoryIdSchema.safeParse(parameter(request, 'id'));
    if (!id.success) throw new FirmproofError('advisory-not-found', 'no advisory has such an id');
    response.json({ items: await advisories.revisions(product, id.data) });
  });

  return router;
}
