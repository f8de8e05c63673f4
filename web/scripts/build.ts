// `npm run build:web`: the approval pages as static files, for any host.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { type BuildOptions, readBuildOptions, UsageMistake, usage } from './build-options.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { out, configuration } = options();
const { server, chainId, registry } = configuration;

function options(): BuildOptions {
  try {
    const read = readBuildOptions(process.argv.slice(2), join(root, 'dist'));
    if (!read.help) return read;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageMistake)) throw error;
    console.error(`usage-invalid: ${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

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
console.log(`the approval pages are in ${out}
  server    ${server ?? 'the origin that serves them'}
  pinned    ${registry ? `chain ${chainId}, registry ${registry}` : 'no chain and no registry: the pages take what the server says'}`);
