import type { Entry } from '@firmproof/protocol/audit';
import type { BlockReader } from '../../audit/block-entries.ts';

/**
 * The entries after a known one, oldest first: from the newest back, as each names the block of the one before it; no range of
 * blocks is ever scanned.
 * @throws FirmproofError `history-incomplete`, `no-quorum`, `chain-unreachable`
 */
export async function walkNew(
  reader: BlockReader,
  newest: { readonly sequence: number; readonly lastBlock: number },
  known: number,
): Promise<readonly Entry[]> {
  const parts: (readonly Entry[])[] = [];
  let { sequence, lastBlock: block } = newest;
  while (sequence > known) {
    const { entries, previousBlock } = await reader.read(block, sequence);
    parts.push(entries.filter((entry) => entry.sequence > known));
    sequence -= entries.length;
    block = previousBlock;
  }
  return parts.reverse().flat();
}
