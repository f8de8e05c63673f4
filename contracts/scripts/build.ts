// Compiles the contract with solc from npm and writes contracts/generated/, which is committed so that the server
// needs no compiler. `--check` writes nothing and fails when the committed file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderRegistry } from './render.ts';

const generatedPath = new URL('../generated/release-registry.ts', import.meta.url);
const rendered = renderRegistry();

if (process.argv.includes('--check')) {
  if (rendered !== readFileSync(generatedPath, 'utf8')) {
    console.error('contracts/generated/release-registry.ts is stale: run `npm run build:contracts` and commit it.');
    process.exitCode = 1;
  }
} else {
  writeFileSync(generatedPath, rendered);
}
