import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FirmproofError } from '@firmproof/protocol';
import { createRpc, type Rpc, readBlock } from '@firmproof/protocol/node';

export type EmbeddedChain = {
  readonly rpcUrl: string;
  readonly rpc: Rpc;
  stop(): Promise<void>;
};

/** anvil itself: the package's bin is a wrapper process that would outlive a kill. */
export function anvilBinary(): string {
  const require = createRequire(import.meta.url);
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const processor = process.arch === 'x64' ? 'amd64' : process.arch;
  try {
    return join(dirname(require.resolve(`@foundry-rs/anvil-${system}-${processor}/package.json`)), 'bin', 'anvil');
  } catch (cause) {
    throw new FirmproofError('chain-unreachable', `the embedded chain does not exist for ${system} on ${processor}`, {
      hint: 'Set FIRMPROOF_RPC_URL to a node of your own.',
      cause,
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Starts a development chain whose state stays in `directory`. */
export async function startEmbeddedChain(directory: string, chainId: number): Promise<EmbeddedChain> {
  mkdirSync(directory, { recursive: true });
  await endOrphan(directory);
  const port = await freePort();
  const args = ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId), '--hardfork', 'osaka'];
  args.push(
    '--slots-in-an-epoch',
    '1',
    '--accounts',
    '1',
    '--state',
    join(directory, 'state.json'),
    '--state-interval',
    '1',
  );
  args.push('--max-persisted-states', '64', '--cache-path', join(directory, 'cache'), '--quiet');
  // A group of its own: a Ctrl-C on the terminal must reach the server first, which then stops the chain in order.
  const child = spawn(anvilBinary(), args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  writeFileSync(pidFileOf(directory), String(child.pid));
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const killNow = () => child.kill('SIGKILL');
  process.once('exit', killNow);
  const rpcUrl = `http://127.0.0.1:${port}`;
  const rpc = createRpc(rpcUrl);
  await ready(child, rpc, () => complaint);
  const finality = keepFinal(rpc);
  return {
    rpcUrl,
    rpc,
    async stop() {
      finality.stop();
      await terminate(child);
      rmSync(pidFileOf(directory), { force: true });
      process.off('exit', killNow);
    },
  };
}

const pidFileOf = (directory: string) => join(directory, 'anvil.pid');

/** Whether the process still runs, and is the chain of this directory: numbers of processes are given out again. */
function isChainOf(pid: number, directory: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(directory, 'state.json'));
  } catch {
    return false;
  }
}

const orphanPatienceMilliseconds = 10_000;

/**
 * A server that was killed leaves its chain running, which would go on writing the same state. It is told to end, and
 * writes its last blocks while it does.
 */
async function endOrphan(directory: string): Promise<void> {
  if (!existsSync(pidFileOf(directory))) return;
  const pid = Number(readFileSync(pidFileOf(directory), 'utf8'));
  if (!isChainOf(pid, directory)) return;
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + orphanPatienceMilliseconds;
  while (isChainOf(pid, directory) && Date.now() < deadline) await pause(50);
  if (isChainOf(pid, directory)) process.kill(pid, 'SIGKILL');
  while (isChainOf(pid, directory)) await pause(50);
}

async function ready(child: ChildProcess, rpc: Rpc, complaint: () => string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (child.exitCode !== null) break;
    if (
      await rpc('eth_chainId').then(
        () => true,
        () => false,
      )
    )
      return;
    await pause(50);
  }
  child.kill('SIGKILL');
  throw new FirmproofError(
    'chain-unreachable',
    `the embedded chain does not start: ${complaint().trim() || 'no answer'}`,
  );
}

async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const deadline = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(deadline);
}

/** anvil makes blocks for transactions only: two empty ones follow, so that each transaction becomes final at once. */
function keepFinal(rpc: Rpc): { stop(): void } {
  let stopped = false;
  const heartbeatSeconds = 3600;
  const step = async () => {
    const [latest, final] = await Promise.all([readBlock(rpc, 'latest'), readBlock(rpc, 'finalized')]);
    if (latest === null) return;
    const gap = Number(latest.number) - Number(final?.number ?? 0);
    const transactions = await Promise.all(
      Array.from({ length: Math.min(gap, 4) }, (_, index) =>
        rpc<{ transactions: unknown[] }>('eth_getBlockByNumber', [
          `0x${(Number(latest.number) - index).toString(16)}`,
          false,
        ]),
      ),
    );
    const waiting = transactions.findIndex((block) => block.transactions.length > 0);
    const idle = Date.now() / 1000 - Number(latest.timestamp) > heartbeatSeconds;
    if (idle) await rpc('anvil_mine', ['0x3']);
    else if (waiting >= 0) await rpc('anvil_mine', [`0x${Math.max(1, gap - waiting).toString(16)}`]);
  };
  const loop = async () => {
    while (!stopped) {
      await step().catch(() => undefined);
      await pause(200, undefined, { ref: false });
    }
  };
  void loop();
  return {
    stop: () => {
      stopped = true;
    },
  };
}

/** The embedded relayer's key, made once and kept beside the state. It is worth nothing anywhere else. */
export function embeddedRelayerKey(directory: string): string {
  const file = join(directory, 'relayer.key');
  if (!existsSync(file)) writeFileSync(file, `0x${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  return readFileSync(file, 'utf8').trim();
}
