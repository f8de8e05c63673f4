// Hundreds of commands are started by tests, and half of each one's time was reading some four hundred source files. A run
// of the tests bundles the sources as they are at its start, once, and starts the bundles.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { bundleAgent } from '../../device-agent/scripts/bundle.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The directory of the bundled commands. */
    readonly bundles: string;
  }
}

const directory = mkdtempSync(join(tmpdir(), 'firmproof-bundles-'));
const root = new URL('../../', import.meta.url).pathname;

/** esbuild loses the names of what a piece of CommonJS exports, where it is imported late: they are named for it. */
const namedLate: Plugin = {
  name: 'named-late',
  setup(building) {
    building.onResolve({ filter: /^@sigstore\/sign$/ }, ({ kind, path, resolveDir }) =>
      kind === 'dynamic-import' ? { path, namespace: 'named-late', pluginData: resolveDir } : undefined,
    );
    building.onLoad({ filter: /.*/, namespace: 'named-late' }, ({ path, pluginData: resolveDir }) => ({
      contents: `export { DSSEBundleBuilder } from '${path}';`,
      resolveDir,
    }));
  },
};

/** It reads its schemas from beside itself: it stays where it is. */
const staysOutside: Plugin = {
  name: 'stays-outside',
  setup(building) {
    building.onResolve({ filter: /^@cyclonedx\/cyclonedx-library$/ }, ({ path }) => ({
      path: createRequire(import.meta.url).resolve(path),
      external: true,
    }));
  },
};

/** The agent as it is shipped, and the vendor's command in pieces: what it loads late stays unread until then. */
export async function setup(project: TestProject): Promise<void> {
  await Promise.all([
    bundleAgent(join(directory, 'firmproof-agent.mjs')),
    build({
      entryPoints: { firmproof: join(root, 'client/src/cli/main.ts') },
      // The command reads its version from ../../package.json.
      outdir: join(directory, 'client/cli'),
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      plugins: [namedLate, staysOutside],
      banner: {
        js: "import { createRequire as requireOf } from 'node:module';const require = requireOf(import.meta.url);",
      },
    }),
  ]);
  copyFileSync(join(root, 'client/package.json'), join(directory, 'package.json'));
  project.provide('bundles', directory);
}

export const teardown = (): void => rmSync(directory, { recursive: true, force: true });
