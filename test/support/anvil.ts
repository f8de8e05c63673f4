import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRpc, type Rpc } from '@firmproof/protocol/node';
import { anvilBinary } from '../../server/src/chain/embedded.ts';
import { freePort } from './free-port.ts';
import { eventually } from './stack.ts';

/** A chain with nothing of ours on it. */
export async function startAnvil(
  ...more: readonly string[]
): Promise<{ rpcUrl: string; rpc: Rpc; stop(): Promise<void> }> {
  const port = await freePort();
  const args = ['--port', String(port), '--hardfork', 'osaka', '--quiet', ...more];
  const child = spawn(anvilBinary(), args, { stdio: 'ignore' });
  const rpcUrl = `http://127.0.0.1:${port}`;
  const rpc = createRpc(rpcUrl);
  await eventually(
    () => rpc<string>('eth_chainId'),
    () => true,
    'the chain',
  );
  return {
    rpcUrl,
    rpc,
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
