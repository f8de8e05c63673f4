import type { AuditState, Segment } from './audit-state.ts';
import type { BlockReader } from './block-entries.ts';

/** How often what was walked goes to the disk. */
const flushMilliseconds = 500;

/**
 * Walks from the newest event back to the archive, as the events themselves name the block before (no range is ever scanned), and
 * keeps what it finds in segments. Stretches that an earlier walk has left are jumped over.
 * @throws FirmproofError `history-incomplete`, `no-quorum`, `chain-unreachable`; what was walked stays
 */
export async function walkBack(
  state: AuditState,
  reader: BlockReader,
  newest: { readonly sequence: number; readonly lastBlock: number },
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<void> {
  const end = state.checkpoint?.sequence ?? 0;
  let sequence = newest.sequence;
  let block = newest.lastBlock;
  let segment: Segment | null = null;
  // Also while a node keeps the walk waiting.
  const flushing = setInterval(() => segment?.spool.flush(), flushMilliseconds);
  const used = new Set<Segment>();
  const unused = () => state.segments.filter((candidate) => !used.has(candidate));
  try {
    while (sequence > end) {
      onProgress(newest.sequence - sequence, newest.sequence - end);
      // One that the way has come past, or that begins in another block, is of a history that the chain no longer has.
      for (const stale of unused().filter(
        ({ top, topBlock }) => top > sequence || (top === sequence && topBlock !== block),
      ))
        state.drop(stale);
      const known = unused().find(({ top }) => top === sequence);
      if (known) {
        used.add(known);
        ({ sequence, block } = known.next);
        // The way goes on at its end.
        segment = known;
        continue;
      }
      const { entries, previousBlock } = await reader.read(block, sequence);
      const wanted = entries.filter((entry) => entry.sequence > end);
      if (segment === null) {
        segment = state.segmentFrom(sequence);
        used.add(segment);
      }
      segment.push(wanted);
      sequence -= entries.length;
      block = previousBlock;
    }
  } finally {
    clearInterval(flushing);
    segment?.spool.flush();
  }
  onProgress(newest.sequence - end, newest.sequence - end);
}
