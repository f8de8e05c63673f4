import { type BlockStatement, isFirmproofError } from '@firmproof/protocol';
import {
  compareHistories,
  type Entry,
  type Finding,
  maximumProvenOfEach,
  type ProvenProduct,
  Replay,
} from '@firmproof/protocol/audit';
import { BlockReader } from '../../audit/block-entries.ts';
import { proveFromNodes } from '../../audit/node-proof.ts';
import type { RpcNode } from '../../audit/rpc-node.ts';
import { type AgreedBlock, agreeOnFinalBlock } from '../../audit/rpc-quorum.ts';
import type { Condition } from '../conditions.ts';
import type { MonitorConfig } from '../config.ts';
import type { FollowedProduct } from './followed-product.ts';
import { walkNew } from './walk-new.ts';

/** Entries that follow on what is known and replay to what is proven. What they say is not compared yet (V7). */
export type Walked = { readonly entries: readonly Entry[]; readonly proven: ProvenProduct };

/** What one look at the chain has come to: as much as a quorum of the nodes has shown. */
export type ChainLook = {
  /** About the nodes themselves. */
  readonly nodes: readonly Condition[];
  /** null where no quorum shows a block. */
  readonly chain: {
    readonly block: BlockStatement;
    readonly agreeing: readonly RpcNode[];
    readonly conditions: readonly Condition[];
    /** null where what is proven could not be reached. */
    readonly walked: Walked | null;
  } | null;
};

type Patience = MonitorConfig['patience'];

/**
 * Looks at the newest final block that a quorum of the nodes shows, and gets the entries up to what its storage proves. What
 * goes wrong is a condition, not an error: a monitor goes on.
 * @param historyAt the history hash after an entry that is known already
 */
export async function lookAtChain(
  followed: FollowedProduct,
  nodes: readonly RpcNode[],
  patience: Patience,
  now: number,
  historyAt: (sequence: number) => string | null,
): Promise<ChainLook> {
  const { watched } = followed;
  let agreed: AgreedBlock;
  try {
    agreed = await agreeOnFinalBlock(nodes, watched.quorum, watched.chainId);
  } catch (error) {
    return { nodes: [nodeTrouble(error, patience.carrierSeconds)], chain: null };
  }
  const { block } = agreed;
  const findings: Finding[] = [...agreed.findings];
  const conditions: Condition[] = stalled(block, patience.stalledSeconds, now);
  let reached: Walked | null = null;
  try {
    const channels = followed.sequence === 0 ? [] : [...followed.history.channels.keys()].slice(0, maximumProvenOfEach);
    const { proven, findings: lies } = await proveFromNodes(agreed, watched, { releases: [], channels });
    findings.push(...lies);
    if (proven.sequence < followed.sequence) {
      conditions.push(...older(proven, historyAt(proven.sequence)));
    } else {
      const { entries, difference, findings: liars } = await walkProven(followed, nodes, proven);
      findings.push(...liars);
      if (difference === null) reached = { entries, proven };
      else conditions.push(differs(difference));
    }
  } catch (error) {
    conditions.push(chainTrouble(error, patience.carrierSeconds));
  }
  return {
    nodes: findings.map((finding) => disagreement(finding, nodes)),
    chain: { block, agreeing: agreed.nodes, conditions, walked: reached },
  };
}

/** Walks; where what came does not replay to what is proven, once more through another node, as long as there is one. */
async function walkProven(
  { watched, replayed, sequence }: FollowedProduct,
  nodes: readonly RpcNode[],
  proven: ProvenProduct,
): Promise<{
  readonly entries: readonly Entry[];
  readonly difference: string | null;
  readonly findings: readonly Finding[];
}> {
  const reader = new BlockReader(nodes, watched.quorum, watched);
  const findings: Finding[] = [];
  for (let tries = nodes.length; ; tries -= 1) {
    const entries = await walkNew(reader, proven, sequence);
    const difference = differenceOf(new Replay(replayed.checkpoint()), entries, proven);
    if (difference === null || tries <= 1) return { entries, difference, findings: [...findings, ...reader.findings] };
    const liar = reader.preferred;
    if (liar === undefined) continue;
    reader.distrust(liar);
    const message = `${liar.label} shows entries that do not replay to what is proven: ${difference}`.slice(0, 500);
    findings.push({ code: 'nodes-disagree', severity: 'bad', message });
  }
}

function differenceOf(replay: Replay, entries: readonly Entry[], proven: ProvenProduct): string | null {
  try {
    for (const entry of entries) replay.take(entry);
  } catch (error) {
    if (isFirmproofError(error)) return error.message;
    throw error;
  }
  const verdict = compareHistories(replay, proven);
  return verdict.complete ? null : verdict.firstDifference;
}

function stalled({ number, timestamp }: BlockStatement, stalledSeconds: number, now: number): Condition[] {
  if (now - timestamp <= stalledSeconds) return [];
  const at = new Date(timestamp * 1000).toISOString();
  const message = `the chain stands still: its newest final block ${number} is of ${at}`;
  return [{ code: 'chain-stalled', severity: 'bad', subject: 'chain', message, patienceSeconds: 0 }];
}

/** A quorum that is behind shows an older block: nothing new, as long as it is the same history. */
const older = ({ sequence, history, block }: ProvenProduct, known: string | null): readonly Condition[] =>
  history === known
    ? []
    : [differs(`block ${block.number} holds another history of ${sequence} events than was final before`)];

const differs = (message: string): Condition => ({
  code: 'history-differs',
  severity: 'bad',
  subject: 'history',
  message: `what is proven is not what was followed: ${message}`,
  patienceSeconds: 0,
});

/** The accused is named first; who else is in the message changes from block to block. */
function disagreement(finding: Finding, nodes: readonly RpcNode[]): Condition {
  const named = nodes
    .map(({ label }) => ({ label, at: finding.message.indexOf(label) }))
    .filter(({ at }) => at >= 0)
    .sort((one, other) => one.at - other.at);
  return { ...finding, subject: named[0]?.label ?? 'nodes', patienceSeconds: 0 };
}

function nodeTrouble(error: unknown, patienceSeconds: number): Condition {
  if (!isFirmproofError(error)) throw error;
  const disagree = error.code === 'nodes-disagree' || error.code === 'chain-mismatch';
  return {
    code: disagree ? 'nodes-disagree' : 'no-quorum',
    severity: 'bad',
    subject: 'quorum',
    message: error.message,
    patienceSeconds: disagree ? 0 : patienceSeconds,
  };
}

const incompleteCodes = ['history-incomplete', 'entry-malformed', 'product-unknown', 'registry-absent'];
const lieCodes = ['account-proof-invalid', 'storage-proof-invalid'];

/** What no node could give. Nodes get their time: their logs run behind their blocks. */
function chainTrouble(error: unknown, patienceSeconds: number): Condition {
  if (!isFirmproofError(error)) throw error;
  const { code: cause, message } = error;
  const code = incompleteCodes.includes(cause)
    ? 'history-incomplete'
    : lieCodes.includes(cause)
      ? 'nodes-disagree'
      : 'no-quorum';
  return { code, severity: 'bad', subject: 'history', message, patienceSeconds };
}
