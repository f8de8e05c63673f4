// `npm run bench`: every figure as one line of JSON. See bench/README.md.
import { spawnSync } from 'node:child_process';

for (const script of [
  'device-agent/scripts/build.ts',
  'bench/agent-check.ts',
  'bench/ingest.ts',
  'bench/download.ts',
  'bench/gas.ts',
  'bench/anchor.ts',
  'bench/audit.ts',
]) {
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
