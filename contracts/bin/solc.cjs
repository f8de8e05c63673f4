#!/usr/bin/env node
// forge wants a native compiler; solc from npm is WebAssembly. This answers the two calls that forge makes:
// `--version`, and standard JSON on stdin with the project folder as working directory.
const { readFileSync } = require('node:fs');
const { resolve } = require('node:path');
const solc = require('solc');

// forge lists the files outside its project by absolute path, but imports reach them through the remapping, relative
// to the project. A native compiler reads those from disk; WebAssembly needs a callback for it.
function readImport(path) {
  if (!path.startsWith('../node_modules/')) return { error: `not a dependency: ${path}` };
  try {
    return { contents: readFileSync(resolve(path), 'utf8') };
  } catch (error) {
    return { error: error.message };
  }
}

if (process.argv.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8'), { import: readImport }));
}
