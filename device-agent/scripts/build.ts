import { bundleAgent } from './bundle.ts';

const outfile = new URL('../dist/firmproof-agent.mjs', import.meta.url).pathname;
console.log(`${outfile}: ${Math.round((await bundleAgent(outfile)) / 1024)} KiB`);
