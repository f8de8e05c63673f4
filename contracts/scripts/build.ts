// Compiles the contracts with solc from npm and writes contracts/generated/, which is committed so that the server needs
// no compiler. `--check` writes nothing and fails when a committed file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { rendered } from './render.ts';

for (const [name, render] of Object.entries(rendered)) {
  const file = new URL(`../generated/${name}`, import.meta.url);
  const text = render();
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (text !== readFileSync(file, 'utf8')) {
    console.error(`contracts/generated/${name} is stale: run \`npm run build:contracts\` and commit it.`);
    process.exitCode = 1;
  }
}
