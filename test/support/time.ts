import { createRpc } from '@firmproof/protocol/node';
import type { Stack } from './stack.ts';

/** Lets time pass on the embedded chain, and makes the blocks final that are there then. */
export async function travel(stack: Pick<Stack, 'rpcUrl'>, seconds: number): Promise<void> {
  const rpc = createRpc(stack.rpcUrl);
  await rpc('evm_increaseTime', [seconds]);
  await rpc('anvil_mine', ['0x3']);
}

const RealDate = globalThis.Date;

/** From now on the wall clock of this process is so far ahead of the machine's, and goes on. 0 puts it right. */
export function setWallClockAhead(seconds: number): void {
  const now = () => RealDate.now() + seconds * 1000;
  globalThis.Date =
    seconds === 0
      ? RealDate
      : (class extends RealDate {
          constructor(...parts: unknown[]) {
            super(...((parts.length === 0 ? [now()] : parts) as []));
          }
          static override now(): number {
            return now();
          }
        } as DateConstructor);
}
