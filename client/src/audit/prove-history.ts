import { isFirmproofError } from '@firmproof/protocol';
import { compareHistories, type Entry, type Finding, type ProvenProduct, Replay } from '@firmproof/protocol/audit';
import type { AuditState } from './audit-state.ts';
import type { BlockReader } from './block-entries.ts';
import { walkBack } from './walk.ts';

export type ProvenHistory = {
  readonly replay: Replay | null;
  readonly firstDifference: { readonly sequence: number; readonly message: string } | null;
  readonly entries: 'nodes' | 'server';
  readonly findings: readonly Finding[];
};

type Progress = (done: number, total: number) => void;

/** Replays what is on disk. @throws FirmproofError `history-incomplete`, `entry-malformed` */
function replayed(state: AuditState, remember: readonly number[]): Replay {
  const replay = new Replay(undefined, remember);
  for (const entry of state.entries()) replay.take(entry);
  return replay;
}

type Attempt =
  | { readonly replay: Replay; readonly difference: null }
  | { readonly replay: Replay | null; readonly difference: { readonly sequence: number; readonly message: string } };

/** Replays what is on disk and compares it with what is proven. */
export function attempt(state: AuditState, proven: ProvenProduct, remember: readonly number[]): Attempt {
  try {
    const replay = replayed(state, remember);
    const verdict = compareHistories(replay, proven);
    if (verdict.complete) return { replay, difference: null };
    return { replay, difference: { sequence: verdict.sequence, message: verdict.firstDifference } };
  } catch (error) {
    return { replay: null, difference: differenceOf(error) };
  }
}

function differenceOf(error: unknown) {
  if (!isFirmproofError(error) || !(error.code === 'history-incomplete' || error.code === 'entry-malformed'))
    throw error;
  return { sequence: Number(error.details?.['sequence'] ?? 1), message: error.message };
}

/**
 * Gets the entries that are missing here and replays all of them against the proof. Whose entries do not replay is left, and the next
 * asked: server, then node after node. Where none of them goes on from what an earlier audit has kept, the whole way is walked,
 * and what was kept is thrown away once that is proved (A23): a liar does not get at it.
 * @throws FirmproofError `no-quorum`, `chain-unreachable`: what was walked stays for the next time
 */
export async function proveHistory(
  state: AuditState,
  proven: ProvenProduct,
  reader: BlockReader,
  options: {
    readonly remember?: readonly number[];
    /** Entries after the given one, oldest first, where a server is to carry them. */
    readonly carried?: ((after: number) => AsyncIterable<Entry>) | undefined;
    readonly nodes: number;
    readonly onProgress?: Progress;
  },
): Promise<ProvenHistory> {
  const { remember = [], onProgress } = options;
  const findings: Finding[] = [];
  if (options.carried) {
    const carried = await takeCarried(state, proven, options.carried, remember, onProgress);
    if ('replay' in carried) return { ...carried, entries: 'server', findings };
    findings.push(carried);
    state.rewind();
  }
  let rewritten = (state.checkpoint?.sequence ?? 0) > proven.sequence ? setAside(state, proven) : [];
  // What an unfinished walk has left may be a liar's: it is thrown away before anybody is blamed.
  let isResumed = state.segments.length > 0;
  let blamed: Finding[] = [];
  for (;;) {
    const last = await walkAndReplay(state, proven, reader, remember, onProgress);
    if (last.difference === null) {
      const { sequence, history, block } = proven;
      await state.commit({ sequence, history, block });
      const found = [...findings, ...rewritten, ...blamed, ...reader.findings];
      return { replay: last.replay, firstDifference: null, entries: 'nodes', findings: found };
    }
    if (isResumed) isResumed = false;
    else if (blamed.length + 1 < options.nodes) blamed.push(blame(reader, last.difference.message));
    else if (state.checkpoint && last.isWalked) {
      rewritten = setAside(state, proven);
      blamed = [];
      reader.trustAll();
    } else {
      if (last.isWalked) state.dropSegments();
      return {
        replay: last.replay,
        firstDifference: last.difference,
        entries: 'nodes',
        findings: [...findings, ...blamed],
      };
    }
    state.dropSegments();
  }
}

function blame(reader: BlockReader, why: string): Finding {
  const node = reader.preferred;
  if (node) reader.distrust(node);
  const message = `what ${node?.label} shows does not replay to what is proven: ${why}`;
  return { code: 'nodes-disagree', severity: 'warn', message: message.slice(0, 500) };
}

/**
 * Does without what an earlier audit has kept. That it is damaged is told by its own hash; if it is not, the chain had another history then.
 */
function setAside(state: AuditState, proven: ProvenProduct): readonly Finding[] {
  const kept = state.checkpoint;
  state.setAside();
  if (kept === null || !isWhole(state, kept)) return [];
  const message = `an earlier audit has proved another history of ${kept.sequence} events at block ${kept.block.number}, which was final then; block ${proven.block.number} holds ${proven.sequence} events that do not go on from it: the chain was reorganised, or nodes have lied`;
  return [{ code: 'history-differs', severity: 'bad', sequence: kept.sequence, message }];
}

function isWhole(state: AuditState, kept: NonNullable<AuditState['checkpoint']>): boolean {
  try {
    const archive = new Replay();
    for (const entry of state.archived()) archive.take(entry);
    return archive.history === kept.history;
  } catch (error) {
    differenceOf(error);
    return false;
  }
}

async function walkAndReplay(
  state: AuditState,
  proven: ProvenProduct,
  reader: BlockReader,
  remember: readonly number[],
  onProgress: Progress | undefined,
): Promise<Attempt & { readonly isWalked: boolean }> {
  try {
    await walkBack(state, reader, proven, onProgress);
  } catch (error) {
    if (!isFirmproofError(error) || error.code !== 'history-incomplete') throw error;
    return { replay: null, difference: differenceOf(error), isWalked: false };
  }
  return { ...attempt(state, proven, remember), isWalked: true };
}

/** The server only carries: what it hands over is replayed against the same proof. */
async function takeCarried(
  state: AuditState,
  proven: ProvenProduct,
  carried: (after: number) => AsyncIterable<Entry>,
  remember: readonly number[],
  onProgress: Progress = () => undefined,
): Promise<{ readonly replay: Replay; readonly firstDifference: null } | Finding> {
  state.dropSegments();
  const start = state.checkpoint?.sequence ?? 0;
  let done = start;
  try {
    for await (const entry of carried(start)) {
      if (entry.sequence > proven.sequence) break;
      if (done >= proven.sequence) break;
      state.take(entry);
      done += 1;
      if (done % 256 === 0) onProgress(done - start, proven.sequence - start);
    }
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    return serverDiffers(`the server does not hand over its entries: ${error.message}`);
  }
  const result = attempt(state, proven, remember);
  if (result.difference !== null) {
    return serverDiffers(`the server's entries do not replay to what is proven: ${result.difference.message}`);
  }
  const { sequence, history, block } = proven;
  await state.commit({ sequence, history, block });
  return { replay: result.replay, firstDifference: null };
}

const serverDiffers = (message: string): Finding => ({
  code: 'server-disagrees',
  severity: 'bad',
  message: message.slice(0, 500),
});
