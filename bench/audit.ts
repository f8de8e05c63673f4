// An audit of 1,000, 10,000 and 100,000 events, each in a block of its own: the first run walks them, the second has them already. The history
// is made as it is asked for by bench/long-history.ts, in the real encoding of events and under a real state trie; no chain could make so
// many in a bench. Against bare keccak over the same bytes, in the same run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { signAction } from '@firmproof/client';
import { registryInterface } from '@firmproof/contracts';
import { parseVersion } from '@firmproof/protocol';
import { createRpc, hexQuantity } from '@firmproof/protocol/node';
import { destroyStack, makeVendor, stable, startStack, temporaryDirectory } from '../test/support/stack.ts';
import { figure, megabyte } from './figure.ts';

const counts = process.argv[2] === undefined ? [1000, 10_000, 100_000] : process.argv.slice(2).map(Number);
const reporter = new URL('report-usage.mjs', import.meta.url).pathname;
const command = new URL('../client/src/cli/main.ts', import.meta.url).pathname;

type Place = { readonly url: string; readonly registry: string; readonly product: string };
type History = Place & { readonly keccakSeconds: number };
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

async function audit({ url, registry, product }: Place, home: string, ...more: readonly string[]): Promise<Usage> {
  const args = ['--rpc', url, '--registry', registry, ...more, '--json', '--home', home];
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

/** The registry itself on a real chain: promotions that a key has approved, fifty to a block; each approval is read and verified. */
async function auditOfChain(count: number): Promise<void> {
  const home = temporaryDirectory();
  const stack = await startStack();
  try {
    const { chainId, registry } = stack.info;
    const { wallet, product, publish, promote } = await makeVendor(stack);
    await publish('1.0.0', Buffer.from('an image'));
    await promote('1.0.0');
    const rpc = createRpc(stack.rpcUrl, 120_000);
    const payer = `0x${'9'.repeat(40)}`;
    await rpc('anvil_setBalance', [payer, '0xffffffffffffffffffff']);
    await rpc('anvil_impersonateAccount', [payer]);
    const deadline = Math.floor(Date.now() / 1000) + 86_400;
    const terms = {
      product,
      channel: stable,
      version: parseVersion('1.0.0'),
      start: 0,
      duration: 0,
      firstShare: 10_000,
      epoch: 1,
      deadline,
    };
    for (let counter = 2; counter < count + 2; counter += 1) {
      const signature = await signAction(wallet, { chainId, registry }, 'Promote', { ...terms, counter });
      const { channel, version, start, duration, firstShare, epoch } = terms;
      const values = [product, channel, version, counter, start, duration, firstShare, epoch, deadline, signature];
      const data = registryInterface.encodeFunctionData('promote', values);
      await rpc('eth_sendTransaction', [
        { from: payer, to: registry, data, gas: '0x40000', nonce: hexQuantity(counter - 2) },
      ]);
      if (counter % 50 === 1) await rpc('evm_mine');
    }
    for (let block = 0; block < 4; block += 1) await rpc('evm_mine');
    const { seconds, peakBytes } = await audit({ url: stack.rpcUrl, registry, product }, home);
    figure('audit.approvals', count / seconds, 'entries/s', { count });
    figure('audit.approvals-memory', peakBytes / megabyte, 'MB', { count });
  } finally {
    rmSync(home, { recursive: true, force: true });
    await destroyStack(stack);
  }
}

for (const count of counts) {
  const home = temporaryDirectory();
  await withHistory(count, async (history) => {
    const walked = await audit(history, home, '--no-approvals');
    const again = await audit(history, home, '--no-approvals');
    figure('audit.walk', count / walked.seconds, 'entries/s', { count });
    figure('audit.walk-memory', walked.peakBytes / megabyte, 'MB', { count });
    figure('audit.replay', count / again.seconds, 'entries/s', { count });
    figure('audit.replay-memory', again.peakBytes / megabyte, 'MB', { count });
    figure('audit.keccak', count / history.keccakSeconds, 'entries/s', { count });
    figure('audit.replay-to-keccak', again.cpuSeconds / history.keccakSeconds, 'ratio', { count });
  });
  rmSync(home, { recursive: true, force: true });
}
for (const count of [2000, 8000]) await auditOfChain(count);
