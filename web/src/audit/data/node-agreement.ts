import type { BlockStatement } from '@firmproof/protocol';
import { bad, type Problem, problemOf, warn } from './problem.ts';
import type { NodeBlock, RpcNode } from './rpc-node.ts';

/** What nodes of the visitor's choice say about the newest final block. */
export type Agreement = {
  /** null where not enough of them agree. */
  readonly block: BlockStatement | null;
  readonly agreeing: readonly RpcNode[];
  /** How many answer for the chain at all. */
  readonly answering: number;
  readonly problems: readonly Problem[];
};

type Saying = { readonly node: RpcNode; readonly chainId: number; readonly final: number };

const hosts = (nodes: readonly RpcNode[]) => nodes.map(({ host }) => host).join(', ');
const sameBlock = (one: NodeBlock, other: NodeBlock) =>
  one.hash === other.hash && one.stateRoot === other.stateRoot && one.timestamp === other.timestamp;

/**
 * The newest block that `quorum` of the nodes call final and describe alike. Nodes that describe one final block in two ways
 * are a lie of one of them, whatever the others say.
 */
export async function agreeOnBlock(nodes: readonly RpcNode[], quorum: number, chainId: number): Promise<Agreement> {
  const problems: Problem[] = [];
  const sayings = await answersOf(nodes, async (node) => sayingOf(node), problems);
  const here = sayings.filter((saying) => {
    if (saying.chainId === chainId) return true;
    problems.push(warn('chain-mismatch', `${saying.node.host} is a node of chain ${saying.chainId}, not ${chainId}.`));
    return false;
  });
  const answering = here.length;
  const number = nthLargest(
    here.map(({ final }) => final),
    quorum,
  );
  if (number === null) {
    const few = `${answering} of ${quorum} needed RPC nodes answer for chain ${chainId}.`;
    return { block: null, agreeing: [], answering, problems: [...problems, warn('no-quorum', few)] };
  }
  const asked = here.filter(({ final }) => final >= number).map(({ node }) => node);
  const blocks = await answersOf(asked, async (node) => ({ node, block: await node.block(number) }), problems);
  const groups: { block: NodeBlock; nodes: RpcNode[] }[] = [];
  for (const { node, block } of blocks.filter(({ block }) => block.number === number)) {
    const group = groups.find((candidate) => sameBlock(candidate.block, block));
    if (group) group.nodes.push(node);
    else groups.push({ block, nodes: [node] });
  }
  groups.sort((one, other) => other.nodes.length - one.nodes.length);
  const [largest, ...others] = groups;
  for (const other of others) {
    const text = `${hosts(other.nodes)} and ${hosts(largest?.nodes ?? [])} describe final block ${number} differently: one of them lies, or follows another chain.`;
    problems.push(bad('nodes-disagree', text));
  }
  if (largest === undefined || largest.nodes.length < quorum) {
    const few = `${largest?.nodes.length ?? 0} of ${quorum} needed RPC nodes agree on block ${number}.`;
    return { block: null, agreeing: [], answering, problems: [...problems, warn('no-quorum', few)] };
  }
  const { hash, stateRoot, timestamp } = largest.block;
  return { block: { chainId, number, hash, stateRoot, timestamp }, agreeing: largest.nodes, answering, problems };
}

async function sayingOf(node: RpcNode): Promise<Saying> {
  const [chainId, { number }] = await Promise.all([node.chainId(), node.finalBlock()]);
  return { node, chainId, final: number };
}

/** The answers that come; a node that fails becomes a problem. */
async function answersOf<Answer>(
  nodes: readonly RpcNode[],
  ask: (node: RpcNode) => Promise<Answer>,
  problems: Problem[],
): Promise<Answer[]> {
  const outcomes = await Promise.allSettled(nodes.map(ask));
  return outcomes.flatMap((outcome) => {
    if (outcome.status === 'fulfilled') return [outcome.value];
    problems.push(problemOf('warn', 'An RPC node', outcome.reason));
    return [];
  });
}

function nthLargest(numbers: readonly number[], nth: number): number | null {
  return [...numbers].sort((one, other) => other - one)[nth - 1] ?? null;
}
