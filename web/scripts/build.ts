// `npm run build:web`: the approval pages as static files, for any host.
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import react from '@vitejs/plugin-react';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const usage = `npm run build:web -- [--out DIRECTORY] [--server URL] [--chain-id N --registry ADDRESS]

  --out        where the files go (default: web/dist)
  --server     the server's address (default: the origin that serves the pages); nothing else can be connected to
  --chain-id   pins the chain, with --registry: what a server says of another is refused`;

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'dist') },
    server: { type: 'string' },
    'chain-id': { type: 'string' },
    registry: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const server = values.server === undefined ? undefined : new URL(values.server).origin;
if ((values['chain-id'] === undefined) !== (values.registry === undefined)) throw new Error(usage);
const configuration = {
  ...(server && { server }),
  ...(values.registry && { chainId: Number(values['chain-id']), registry: values.registry.toLowerCase() }),
};

/** Everything from these files, and connections to the server: no other host, nothing inline, no frame, no form. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "worker-src 'self'",
  `connect-src 'self'${server ? ` ${server}` : ''}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

// Whatever environment this is started from: a test's makes React's slow build.
process.env['NODE_ENV'] = 'production';
const out = resolve(values.out);
rmSync(join(out, 'assets'), { recursive: true, force: true });
await build({
  configFile: false,
  root,
  base: './',
  logLevel: 'warn',
  plugins: [
    react(),
    {
      name: 'content-security-policy',
      transformIndexHtml: (html) => html.replace('%CONTENT_SECURITY_POLICY%', contentSecurityPolicy),
    },
  ],
  worker: { format: 'es' },
  build: {
    outDir: out,
    emptyOutDir: false,
    target: 'es2022',
    // A strict policy allows neither data: assets nor the polyfill's inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
});
writeFileSync(join(out, 'config.json'), `${JSON.stringify(configuration, null, 2)}\n`);
