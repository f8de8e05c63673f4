// `npm run build:web`: the approval pages and the audit pages as static files, for any host.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { type BuildOptions, readBuildOptions, UsageMistake, usage } from './build-options.ts';
import { approvalPolicy, auditPolicy } from './content-security-policy.ts';

const web = fileURLToPath(new URL('..', import.meta.url));
const { pages, out, configuration, audit } = options();
const { server, chainId, registry } = configuration;

function options(): BuildOptions {
  try {
    const read = readBuildOptions(process.argv.slice(2), join(web, 'dist'));
    if (!read.help) return read;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageMistake)) throw error;
    console.error(`usage-invalid: ${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

type Pages = {
  /** Where index.html is. */
  readonly root: string;
  readonly directory: string;
  readonly policy: string;
  readonly config: object;
};

// Whatever environment this is started from: a test's makes React's slow build.
process.env['NODE_ENV'] = 'production';

async function buildPages({ root, directory, policy, config }: Pages): Promise<void> {
  rmSync(join(directory, 'assets'), { recursive: true, force: true });
  await build({
    configFile: false,
    root,
    base: './',
    publicDir: join(web, 'public'),
    logLevel: 'warn',
    plugins: [
      react(),
      {
        name: 'content-security-policy',
        transformIndexHtml: (html) => html.replace('%CONTENT_SECURITY_POLICY%', policy),
      },
    ],
    worker: { format: 'es' },
    build: {
      outDir: directory,
      emptyOutDir: false,
      target: 'es2022',
      // A strict policy allows neither data: assets nor the polyfill's inline script.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1000,
    },
  });
  writeFileSync(join(directory, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

const auditDirectory = pages === 'audit' ? out : join(out, 'audit');
if (pages !== 'audit')
  await buildPages({ root: web, directory: out, policy: approvalPolicy(server), config: configuration });
if (pages !== 'approvals')
  await buildPages({
    root: join(web, 'audit'),
    directory: auditDirectory,
    policy: auditPolicy([...(server ? [server] : []), ...(audit.rpcUrls ?? [])]),
    config: { ...configuration, ...audit },
  });

const where = [
  pages !== 'audit' && `the approval pages are in ${out}`,
  pages !== 'approvals' && `the audit pages are in ${auditDirectory}`,
].filter((line) => line !== false);
console.log(`${where.join('\n')}
  server    ${server ?? 'the origin that serves them'}
  pinned    ${registry ? `chain ${chainId}, registry ${registry}` : 'no chain and no registry: the pages take what the server says'}`);
