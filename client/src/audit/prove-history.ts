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
 * asked: server, then node after node; what an earlier audit has kept is thrown away where the chain no longer has it (A23).
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
  const before = state.checkpoint;
  if (before && before.sequence > proven.sequence) forget(state, findings, proven, before);
  if (options.carried) {
    const carried = await takeCarried(state, proven, options.carried, remember, onProgress);
    if ('replay' in carried) return { ...carried, entries: 'server', findings };
    findings.push(carried);
    state.reset();
  }
  let tries = options.nodes + (state.checkpoint ? 1 : 0);
  for (;;) {
    tries -= 1;
    const last = await walkAndReplay(state, proven, reader, remember, onProgress);
    if (last.difference === null) {
      await commit(state, proven);
      return {
        replay: last.replay,
        firstDifference: null,
        entries: 'nodes',
        findings: [...findings, ...reader.findings],
      };
    }
    if (tries <= 0) {
      return { replay: last.replay, firstDifference: last.difference, entries: 'nodes', findings };
    }
    const kept = state.checkpoint;
    if (kept) forget(state, findings, proven, kept);
    else {
      const node = reader.preferred;
      if (node) {
        reader.distrust(node);
        const message = `what ${node.label} shows does not replay to what is proven: ${last.difference.message}`;
        findings.push({ code: 'nodes-disagree', severity: 'warn', message: message.slice(0, 500) });
      }
      state.reset();
    }
  }
}

async function walkAndReplay(
  state: AuditState,
  proven: ProvenProduct,
  reader: BlockReader,
  remember: readonly number[],
  onProgress: Progress | undefined,
): Promise<Attempt> {
  try {
    await walkBack(state, reader, proven, onProgress);
  } catch (error) {
    if (!isFirmproofError(error) || error.code !== 'history-incomplete') throw error;
    return { replay: null, difference: differenceOf(error) };
  }
  return attempt(state, proven, remember);
}

/** What an earlier audit has kept is damaged, or the chain had another history then; the first is told from the second by its own hash. */
function forget(
  state: AuditState,
  findings: Finding[],
  proven: ProvenProduct,
  kept: NonNullable<AuditState['checkpoint']>,
): void {
  let isWhole = false;
  try {
    const archive = new Replay();
    for (const entry of state.entries()) {
      if (archive.sequence === kept.sequence) break;
      archive.take(entry);
    }
    isWhole = archive.history === kept.history;
  } catch (error) {
    differenceOf(error);
  }
  if (isWhole) {
    const message = `an earlier audit has proved another history of ${kept.sequence} events at block ${kept.block.number}, which was final then; block ${proven.block.number} holds ${proven.sequence} events that do not go on from it: the chain was reorganised, or nodes have lied`;
    findings.push({ code: 'history-differs', severity: 'bad', sequence: kept.sequence, message });
  }
  state.reset();
}

async function commit(state: AuditState, { sequence, history, block }: ProvenProduct): Promise<void> {
  await state.commit({ sequence, history, block });
}

/** The server only carries: what it hands over is replayed against the same proof. */
async function takeCarried(
  state: AuditState,
  proven: ProvenProduct,
  carried: (after: number) => AsyncIterable<Entry>,
  remember: readonly number[],
  onProgress: Progress = () => undefined,
): Promise<{ readonly replay: Replay; readonly firstDifference: null } | Finding> {
  for (const segment of state.segments) state.drop(segment);
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
  await commit(state, proven);
  return { replay: result.replay, firstDifference: null };
}

const serverDiffers = (message: string): Finding => ({
  code: 'server-disagrees',
  severity: 'bad',
  message: message.slice(0, 500),
});
