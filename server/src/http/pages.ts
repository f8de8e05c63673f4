import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FirmproofError } from '@firmproof/protocol';
import express, { type RequestHandler, Router } from 'express';

const built = fileURLToPath(new URL('../../../web/dist', import.meta.url));

/**
 * Where the approval pages are: what `npm run build:web` made, another directory, or nowhere.
 * @throws FirmproofError `config-invalid` when a directory is named that has no pages
 */
export function pagesDirectory(configured: string | undefined): string | null {
  if (configured === 'off') return null;
  const directory = configured ?? built;
  if (existsSync(join(directory, 'index.html'))) return directory;
  if (configured === undefined) return null;
  throw new FirmproofError('config-invalid', `FIRMPROOF_PAGES: there are no pages in ${configured}`);
}

/** The approval pages as static files. They protect more from an origin of their own (docs/approval-pages.md). */
export function pagesRouter(directory: string): Router {
  const router = Router();
  router.use(pageHeaders(readFileSync(join(directory, 'index.html'), 'utf8')));
  router.use(
    express.static(directory, {
      redirect: false,
      setHeaders: (response, path) => {
        // Names of assets hold a hash of their content.
        const isAsset = path.startsWith(join(directory, 'assets'));
        response.setHeader('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    }),
  );
  return router;
}

/** The policy that the pages carry themselves, with what only a header can say: nobody may frame them. */
function pageHeaders(index: string): RequestHandler {
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(index)?.[1] ?? "default-src 'self'";
  return (_request, response, next) => {
    response
      .setHeader('content-security-policy', `${policy}; frame-ancestors 'none'`)
      .setHeader('cross-origin-opener-policy', 'same-origin')
      .setHeader('referrer-policy', 'no-referrer');
    next();
  };
}
