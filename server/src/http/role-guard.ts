import { parseProductId, type TokenScope } from '@firmproof/protocol';
import { Router } from 'express';
import type { Tokens } from './authentication.ts';
import { type Operation, operations } from './openapi.ts';
import { parameter } from './parameters.ts';

/** Everything that only some tokens open. A row that names no role is for tokens to publish. */
export const rolesOf = ({ token }: Operation): readonly TokenScope[] | null => {
  if (token === undefined) return null;
  return token === true ? ['publish'] : token;
};

/**
 * Holds every route to the roles of the table that describes the API, before a byte of a body is read: what /openapi.json says of
 * tokens is what happens.
 */
export function roleGuard(tokens: Tokens): Router {
  const router = Router();
  for (const operation of operations) {
    const roles = rolesOf(operation);
    if (roles === null) continue;
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ':$1');
    router[operation.method](path, async (request, _response, next) => {
      const product = parameter(request, 'product');
      await tokens.cover(request, roles, product === '' ? null : parseProductId(product));
      next();
    });
  }
  return router;
}
