import { chmodSync } from 'node:fs';
import { build } from 'esbuild';

/**
 * Bundles the agent into one file without dependencies, for a device that has Node and nothing else.
 * @returns its size in bytes
 */
export async function bundleAgent(outfile: string): Promise<number> {
  const { metafile } = await build({
    entryPoints: [new URL('../src/cli/main.ts', import.meta.url).pathname],
    outfile,
    bundle: true,
    minify: true,
    // A stack trace from the field has to be readable.
    keepNames: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    metafile: true,
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
    },
  });
  chmodSync(outfile, 0o755);
  return Object.values(metafile.outputs)[0]?.bytes ?? 0;
}
