import { describeIssues, FirmproofError } from '@firmproof/protocol';
import type { Request } from 'express';
import type { z } from 'zod';

/** The request's JSON body, parsed at the edge. @throws FirmproofError `request-invalid`, naming every mistake */
export function bodyOf<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(request.body);
  if (parsed.success) return parsed.data;
  const mistakes = describeIssues(parsed.error);
  throw new FirmproofError('request-invalid', `the request is malformed: ${mistakes.join('; ')}`, {
    details: { mistakes },
  });
}

/** A path parameter; Express gives an array only for wildcards, which no route here has. */
export function parameter(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

/**
 * Whether the caller already has what this ETag names (RFC 9110, 13.1.2). `no-cache` in the request asks caches to come
 * here, which has happened; Express would take it for a wish to have everything again, and fetch sends it with each
 * conditional request.
 */
export function isUnchanged(request: Request, etag: string): boolean {
  const known = request.get('if-none-match');
  if (known === undefined) return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return known.trim() === '*' || known.split(',').some((tag) => opaque(tag) === opaque(etag));
}

const maximumPageItems = 100;

/** `?limit=` and `?cursor=` of a list. The cursor is opaque to callers: base64url of the last key. */
export function pageOptions(request: Request): { readonly limit: number; readonly after: string | null } {
  const { limit: limitText = '50', cursor } = request.query;
  const limit = Number(limitText);
  if (!Number.isInteger(limit) || limit < 1 || limit > maximumPageItems) {
    throw new FirmproofError('request-invalid', `limit is a number from 1 to ${maximumPageItems}`);
  }
  if (cursor === undefined) return { limit, after: null };
  if (typeof cursor !== 'string' || !/^[A-Za-z0-9_-]{1,200}$/.test(cursor)) {
    throw new FirmproofError('request-invalid', 'the cursor is not one that this server has given');
  }
  return { limit, after: Buffer.from(cursor, 'base64url').toString('utf8') };
}

/** The page and, where there are more items, the cursor of the next one. `items` holds one more than the limit asks for. */
export function pageAnswer<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
  items: readonly Item[],
) {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items: items.slice(0, limit),
    ...(last && { next: Buffer.from(keyOf(last), 'utf8').toString('base64url') }),
  };
}
