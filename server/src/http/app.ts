import { loginRequestSchema, oidcLoginRequestSchema } from '@firmproof/protocol';
import express, { type Express } from 'express';
import { accountRoutes } from './account-routes.ts';
import { auditRoutes } from './audit-routes.ts';
import { channelRoutes } from './channel-routes.ts';
import { crossOrigin } from './cross-origin.ts';
import type { Dependencies } from './dependencies.ts';
import { deviceAnchorRoutes } from './device-anchor-routes.ts';
import { deviceMessageRoutes } from './device-message-routes.ts';
import { deviceRoutes } from './device-routes.ts';
import { documentRoutes } from './document-routes.ts';
import { openApiDocument } from './openapi.ts';
import { bodyOf } from './parameters.ts';
import { notFound, problemHandler } from './problem.ts';
import { productRoutes } from './product-routes.ts';
import { proposalRoutes } from './proposal-routes.ts';
import { publisherRoutes } from './publisher-routes.ts';
import { roleGuard } from './role-guard.ts';
import { saidLaterRoutes } from './said-later-routes.ts';
import { webhookRoutes } from './webhook-routes.ts';

const apiVersion = '1.0.0';
/** A chain of trust roots with their signatures is the largest JSON that anybody sends. */
const maximumJsonBytes = 1024 * 1024;

/** The whole HTTP surface. */
export function createApp(dependencies: Dependencies): Express {
  const { metrics, tokens, oidcLogin, refusals, info, origin, unreadiness, log } = dependencies;
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');

  app.use((request, response, next) => {
    response.setHeader('x-content-type-options', 'nosniff');
    response.on('finish', () => {
      metrics.requests.inc({ status: `${Math.floor(response.statusCode / 100)}xx` });
      log.debug({ method: request.method, path: request.path, status: response.statusCode }, 'request');
    });
    next();
  });

  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', (_request, response) => {
    const reason = unreadiness();
    response
      .status(reason === null ? 200 : 503)
      .json(reason === null ? { status: 'ready' } : { status: 'not ready', reason });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  const document = openApiDocument(apiVersion);
  app.get('/openapi.json', (_request, response) => {
    response.json(document);
  });

  app.use(dependencies.gateway);
  app.use('/v1', crossOrigin);
  app.use(deviceMessageRoutes(dependencies));
  app.use(roleGuard(tokens));
  app.use(documentRoutes(dependencies));
  app.use(express.json({ limit: maximumJsonBytes }));
  app.get('/v1/info', (_request, response) => {
    response.json(info());
  });
  app.post('/v1/tokens', async (request, response) => {
    const body = bodyOf(request, loginRequestSchema);
    response
      .status(201)
      .setHeader('cache-control', 'no-store')
      .json(await refusals.login(body.message.publisher, () => tokens.login(body, origin())));
  });
  app.post('/v1/tokens/oidc', async (request, response) => {
    const body = bodyOf(request, oidcLoginRequestSchema);
    response
      .status(201)
      .setHeader('cache-control', 'no-store')
      .json(await refusals.login({ product: body.product }, () => oidcLogin(body, origin())));
  });
  app.use(productRoutes(dependencies));
  app.use(proposalRoutes(dependencies));
  app.use(accountRoutes(dependencies));
  app.use(channelRoutes(dependencies));
  app.use(auditRoutes(dependencies));
  app.use(deviceAnchorRoutes(dependencies));
  app.use(deviceRoutes(dependencies));
  app.use(publisherRoutes(dependencies));
  app.use(webhookRoutes(dependencies));
  app.use(saidLaterRoutes(dependencies));
  if (dependencies.pages) app.use(dependencies.pages);
  app.use(notFound);
  app.use(refusals.limits);
  app.use(problemHandler(log));
  return app;
}
