import { setTimeout as pause } from 'node:timers/promises';
import type { BlockStatement, Cosignature } from '@firmproof/protocol';
import { collectCosignatures, type WitnessSource } from '../evidence/witness-client.ts';

const attempts = 10;
const pauseMilliseconds = 200;
const keptBlocks = 8;

export type Cosignatures = ReturnType<typeof createCosignatures>;

/** The cosignatures of final blocks, asked for once a block, however many want them. */
export function createCosignatures(sources: readonly WitnessSource[]) {
  const collected = new Map<string, Promise<readonly Cosignature[]>>();

  /** A witness sees a block become final a moment after this server does: it is waited for, for two seconds. */
  async function collect(block: BlockStatement): Promise<readonly Cosignature[]> {
    let found: readonly Cosignature[] = [];
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      if (attempt > 0) await pause(pauseMilliseconds);
      found = await collectCosignatures(sources, block);
      if (found.length === sources.length) return found;
    }
    // Who asks next asks again.
    collected.delete(block.hash);
    return found;
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
