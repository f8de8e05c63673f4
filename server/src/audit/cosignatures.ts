import { setTimeout as pause } from 'node:timers/promises';
import type { BlockStatement, Cosignature } from '@firmproof/protocol';
import { collectCosignatures, type WitnessSource } from '../evidence/witness-client.ts';

const patienceMilliseconds = 2000;
const pauseMilliseconds = 150;
const keptBlocks = 8;

export type Cosignatures = ReturnType<typeof createCosignatures>;

/** The cosignatures of final blocks, asked for once a block, however many want them. */
export function createCosignatures(sources: readonly WitnessSource[]) {
  const collected = new Map<string, Promise<readonly Cosignature[]>>();

  /** A witness sees a block become final a moment after this server does: it is waited for, for two seconds. */
  async function collect(block: BlockStatement): Promise<readonly Cosignature[]> {
    const deadline = performance.now() + patienceMilliseconds;
    const answers = await Promise.all(sources.map((source) => askUntil(deadline, source, block)));
    // Whoever asks next asks again.
    if (answers.some((answer) => answer.length === 0)) collected.delete(block.hash);
    return answers.flat();
  }

  return {
    /** All that there are; `complete` says whether every witness has vouched. */
    async of(block: BlockStatement): Promise<{ readonly list: readonly Cosignature[]; readonly complete: boolean }> {
      const asked = collected.get(block.hash) ?? collect(block);
      collected.set(block.hash, asked);
      for (const oldest of collected.keys()) {
        if (collected.size <= keptBlocks) break;
        collected.delete(oldest);
      }
      const list = await asked;
      return { list, complete: list.length === sources.length };
    },
  };
}

/** None where the witness does not vouch in time, or does not even answer. */
async function askUntil(
  deadline: number,
  source: WitnessSource,
  block: BlockStatement,
): Promise<readonly Cosignature[]> {
  for (let left = patienceMilliseconds; left > 0; left = deadline - performance.now()) {
    const answer = await Promise.race([collectCosignatures([source], block), pause(left, [])]);
    if (answer.length > 0) return answer;
    await pause(pauseMilliseconds);
  }
  return [];
}
