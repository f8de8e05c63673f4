import type { RequestHandler } from 'express';

const oneHourSeconds = 3600;

/**
 * Lets pages of any origin use the API: approval pages live on an origin of the vendor's own (docs/approval-pages.md). Nothing
 * here rests on cookies, so a foreign page can do no more than anybody else with the same token or signature.
 */
export const crossOrigin: RequestHandler = (request, response, next) => {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', 'location, retry-after');
  if (request.method !== 'OPTIONS') return next();
  response
    .setHeader('access-control-allow-methods', 'GET, HEAD, POST, DELETE')
    .setHeader('access-control-allow-headers', 'authorization, content-type, idempotency-key')
    .setHeader('access-control-max-age', String(oneHourSeconds))
    .status(204)
    .end();
};
