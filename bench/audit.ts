// An audit of 1,000, 10,000 and 100,000 events, each in a block of its own: the first run walks them, the second has them already. The history
// is made as it is asked for by bench/long-history.ts, in the real encoding of events and under a real state trie; no chain could make so
// many in a bench. Against bare keccak over the same bytes, in the same run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { temporaryDirectory } from '../test/support/stack.ts';
import { figure, megabyte } from './figure.ts';

const counts = process.argv[2] === undefined ? [1000, 10_000, 100_000] : process.argv.slice(2).map(Number);
const reporter = new URL('report-usage.mjs', import.meta.url).pathname;
const command = new URL('../client/src/cli/main.ts', import.meta.url).pathname;

type History = {
  readonly url: string;
  readonly registry: string;
  readonly product: string;
  readonly keccakSeconds: number;
};
type Usage = { readonly cpuSeconds: number; readonly peakBytes: number; readonly seconds: number };

async function withHistory(count: number, act: (history: History) => Promise<void>): Promise<void> {
  const server = spawn(process.execPath, [new URL('long-history.ts', import.meta.url).pathname, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(createInterface(server.stdout), 'line');
    await act(JSON.parse(line));
  } finally {
    const ended = once(server, 'exit');
    server.kill();
    await ended;
  }
}

async function audit({ url, registry, product }: History, home: string): Promise<Usage> {
  const args = ['--rpc', url, '--registry', registry, '--no-approvals', '--json', '--home', home];
  const begun = performance.now();
  const child = spawn(process.execPath, ['--import', reporter, command, 'audit', product, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  let text = '';
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the audit ended with ${code}`);
  return { ...JSON.parse(text), seconds: (performance.now() - begun) / 1000 };
}

for (const count of counts) {
  const home = temporaryDirectory();
  await withHistory(count, async (history) => {
    const walked = await audit(history, home);
    const again = await audit(history, home);
    figure('audit.walk', count / walked.seconds, 'entries/s', { count });
    figure('audit.walk-memory', walked.peakBytes / megabyte, 'MB', { count });
    figure('audit.replay', count / again.seconds, 'entries/s', { count });
    figure('audit.replay-memory', again.peakBytes / megabyte, 'MB', { count });
    figure('audit.keccak', count / history.keccakSeconds, 'entries/s', { count });
    figure('audit.replay-to-keccak', again.cpuSeconds / history.keccakSeconds, 'ratio', { count });
  });
  rmSync(home, { recursive: true, force: true });
}
