import { type BlockStatement, isFirmproofError } from '@firmproof/protocol';
import { compareHistories, compareState, type Finding, type ProvenProduct } from '@firmproof/protocol/audit';
import { BlockReader } from '../../audit/block-entries.ts';
import type { RpcNode } from '../../audit/rpc-node.ts';
import { agreeOnFinalBlock } from '../../audit/rpc-quorum.ts';
import type { Condition } from '../conditions.ts';
import type { MonitorConfig } from '../config.ts';
import type { FollowedProduct, LearntEvent } from './followed-product.ts';
import { proveThroughNodes } from './prove.ts';
import { walkNew } from './walk-new.ts';

/** What one look at the chain has come to. `nodes` is always known; the rest only as far as a quorum has shown it. */
export type ChainLook = {
  /** About the nodes themselves. */
  readonly nodes: readonly Condition[];
  /** null where no quorum shows a block. */
  readonly chain: {
    readonly block: BlockStatement;
    readonly agreeing: readonly RpcNode[];
    readonly conditions: readonly Condition[];
    /** null where the history could not be followed to its proven end. */
    readonly followed: { readonly proven: ProvenProduct; readonly learnt: readonly LearntEvent[] } | null;
  } | null;
};

/**
 * Looks at the newest final block that a quorum of the nodes shows, and follows the history up to what its storage proves. What
 * goes wrong is a condition, not an error: a monitor goes on.
 */
export async function lookAtChain(
  followed: FollowedProduct,
  nodes: readonly RpcNode[],
  patience: MonitorConfig['patience'],
  now: number,
): Promise<ChainLook> {
  const { watched } = followed;
  let agreed: Awaited<ReturnType<typeof agreeOnFinalBlock>>;
  try {
    agreed = await agreeOnFinalBlock(nodes, watched.quorum, watched.chainId);
  } catch (error) {
    return { nodes: [nodeTrouble(error, patience)], chain: null };
  }
  const { block } = agreed;
  const aboutNodes = agreed.findings.map((finding) => disagreement(finding, nodes));
  const conditions = stalled(block, patience.stalledSeconds, now);
  const look = (more: readonly Condition[], result: { proven: ProvenProduct; learnt: readonly LearntEvent[] } | null) => ({
    nodes: aboutNodes,
    chain: { block, agreeing: agreed.nodes, conditions: [...conditions, ...more], followed: result },
  });
  try {
    const { proven, conditions: lies } = await proveThroughNodes(agreed, watched, [...channelsOf(followed)]);
    aboutNodes.push(...lies);
    const reader = new BlockReader(nodes, watched.quorum, watched);
    const entries = await walkNew(reader, proven, followed.sequence);
    aboutNodes.push(...reader.findings.map((finding) => disagreement(finding, nodes)));
    const learnt = followed.learn(entries);
    const verdict = compareHistories(followed.replayed, proven);
    if (!verdict.complete) return look([differs(verdict.firstDifference)], null);
    const different = compareState(followed.history, { ...proven, channels: learnt.length === 0 ? proven.channels : new Map() });
    if (different[0] !== undefined) return look([differs(different.join('; '))], null);
    return look([], { proven, learnt });
  } catch (error) {
    return look([chainTrouble(error, patience)], null);
  }
}

const channelsOf = ({ sequence, history }: FollowedProduct) => (sequence === 0 ? [] : history.channels.keys());

function stalled({ number, timestamp }: BlockStatement, stalledSeconds: number, now: number): readonly Condition[] {
  if (now - timestamp <= stalledSeconds) return [];
  const at = new Date(timestamp * 1000).toISOString();
  const message = `the chain stands still: its newest final block ${number} is of ${at}`;
  return [{ code: 'chain-stalled', severity: 'bad', subject: 'chain', message, patienceSeconds: 0 }];
}

const differs = (message: string): Condition => ({
  code: 'history-differs',
  severity: 'bad',
  subject: 'history',
  message: `what the nodes show is not what is proven: ${message}`,
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

function nodeTrouble(error: unknown, { carrierSeconds }: MonitorConfig['patience']): Condition {
  if (!isFirmproofError(error)) throw error;
  const disagree = error.code === 'nodes-disagree' || error.code === 'chain-mismatch';
  return {
    code: disagree ? 'nodes-disagree' : 'no-quorum',
    severity: 'bad',
    subject: 'quorum',
    message: error.message,
    patienceSeconds: disagree ? 0 : carrierSeconds,
  };
}

function chainTrouble(error: unknown, { carrierSeconds }: MonitorConfig['patience']): Condition {
  if (!isFirmproofError(error)) throw error;
  const incomplete = error.code === 'history-incomplete' || error.code === 'entry-malformed';
  if (!incomplete && error.code !== 'product-unknown') return nodeTrouble(error, { ...none, carrierSeconds });
  return {
    code: 'history-incomplete',
    severity: 'bad',
    subject: 'history',
    message: error.message,
    patienceSeconds: carrierSeconds,
  };
}

const none = { serverSeconds: 0, carrierSeconds: 0, stalledSeconds: 0 };

