import { defineConfig } from 'vitest/config';

// Tests run on Node's own type stripping, as the sources do in production.
const cheapKeys = new URL('test/support/cheap-key-derivation.js', import.meta.url).pathname;
const common = { experimental: { viteModuleRunner: false }, testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    // Tests mostly wait for blocks and for processes: more of them than there are cores keep the cores busy.
    maxWorkers: 3,
    globalSetup: ['test/support/bundles.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'contracts/test/**/*.test.ts'],
          // Loading the same modules for each file anew would take longer than these tests do.
          isolate: false,
        },
      },
      { test: { ...common, name: 'browser', include: ['test/browser/**/*.test.ts'] } },
      {
        test: {
          ...common,
          name: 'integration',
          include: ['test/{api,e2e,attacks,crash,docs}/**/*.test.ts'],
          setupFiles: [cheapKeys],
          env: { NODE_OPTIONS: `--import=${cheapKeys}` },
        },
      },
    ],
  },
});
