import { createRpc } from '@firmproof/protocol/node';
import type { Stack } from './stack.ts';

/** Lets time pass on the embedded chain, and makes the blocks final that are there then. */
export async function travel(stack: Pick<Stack, 'rpcUrl'>, seconds: number): Promise<void> {
  const rpc = createRpc(stack.rpcUrl);
  await rpc('evm_increaseTime', [seconds]);
  await rpc('anvil_mine', ['0x3']);
}
