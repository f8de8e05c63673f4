import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FirmproofError } from '@firmproof/protocol';
import express, { type RequestHandler, Router } from 'express';

const built = fileURLToPath(new URL('../../../web/dist', import.meta.url));

/**
 * Where the pages are: what `npm run build:web` made, another directory, or nowhere.
 * @throws FirmproofError `config-invalid` when a directory is named that has no pages
 */
export function pagesDirectory(configured: string | undefined): string | null {
  if (configured === 'off') return null;
  const directory = configured ?? built;
  if (hasPages(directory)) return directory;
  if (configured === undefined) return null;
  throw new FirmproofError('config-invalid', `FIRMPROOF_PAGES: there are no pages in ${configured}`);
}

const hasPages = (directory: string) => existsSync(join(directory, 'index.html'));

/**
 * The approval pages as static files, and the audit pages below /audit/ where the directory has them. Approval pages protect
 * more from an origin of their own (docs/approval-pages.md).
 */
export function pagesRouter(directory: string): Router {
  const router = Router();
  const audit = join(directory, 'audit');
  // Before the others: a policy of their own, since they connect to whatever the visitor names.
  if (hasPages(audit)) {
    router.get('/audit', (request, response, next) => {
      if (request.path.endsWith('/')) next();
      else response.redirect(301, 'audit/');
    });
    router.use('/audit', ...filesOf(audit));
  }
  router.use(...filesOf(directory));
  return router;
}

function filesOf(directory: string): readonly [RequestHandler, RequestHandler] {
  const assets = join(directory, 'assets');
  return [
    pageHeaders(readFileSync(join(directory, 'index.html'), 'utf8')),
    express.static(directory, {
      redirect: false,
      setHeaders: (response, path) => {
        // Names of assets hold a hash of their content.
        const isAsset = path.startsWith(assets);
        response.setHeader('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    }),
  ];
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
