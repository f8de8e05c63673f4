import { setTimeout as pause } from 'node:timers/promises';
import { type BlockStatement, blockStatementSchema, FirmproofError, isFirmproofError } from '@firmproof/protocol';
import type { Finding } from '@firmproof/protocol/audit';
import { hexQuantity, RpcRefusal } from '@firmproof/protocol/node';
import { z } from 'zod';
import type { RpcNode } from './rpc-node.ts';

/** A final block, and the nodes that show it. */
export type AgreedBlock = {
  readonly block: BlockStatement;
  readonly nodes: readonly RpcNode[];
  readonly quorum: number;
  readonly findings: readonly Finding[];
};

/** Once the quorum has spoken, the others get so long. */
const graceMilliseconds = 1_000;
const tries = 2;

const quantitySchema = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,16}$/)
  .transform(Number);
const lowerSchema = z.string().transform((text) => text.toLowerCase());
const blockSchema = z
  .object({ number: quantitySchema, hash: lowerSchema, stateRoot: lowerSchema, timestamp: quantitySchema })
  .nullable();

/** All but a minority: the least number of nodes that cannot be outvoted by the others. */
export const defaultQuorum = (nodes: number): number => Math.floor(nodes / 2) + 1;

/**
 * The newest block that a quorum of the nodes calls final and shows alike: number, hash, state root and time. Nodes that are slow
 * or down do not matter as long as the others suffice.
 * @param chainId what the chain has to be; without it, what the nodes say alike
 * @throws FirmproofError `no-quorum`, `nodes-disagree`, `chain-mismatch`, `chain-unsuitable`
 */
export async function agreeOnFinalBlock(
  nodes: readonly RpcNode[],
  quorum: number,
  chainId: number | undefined,
): Promise<AgreedBlock> {
  const heads = await answersOf(nodes, quorum, async (node) => {
    const [chain, head] = await node.batch(
      [
        { method: 'eth_chainId', params: [] },
        { method: 'eth_getBlockByNumber', params: ['finalized', false] },
      ],
      tries,
    );
    const parsedChain = quantitySchema.safeParse(chain && 'result' in chain ? chain.result : null);
    const block = blockSchema.safeParse(head && 'result' in head ? head.result : null);
    if (!parsedChain.success) throw unsuitable(node, 'does not say which chain it is on');
    if (!block.success || block.data === null) throw unsuitable(node, 'calls no block final');
    return { chainId: parsedChain.data, final: block.data.number };
  });
  const wanted = chainId ?? mostSaid(heads.answers.map(({ answer }) => answer.chainId));
  const fitting = heads.answers.filter(({ answer }) => answer.chainId === wanted);
  const elsewhere = heads.answers.filter(({ answer }) => answer.chainId !== wanted);
  const strays = elsewhere.map(
    ({ node, answer }) =>
      `${node.label} is on chain ${answer.chainId}, ${chainId === undefined ? `others on ${wanted}` : `${wanted} is audited`}`,
  );
  // One that lies about its chain, or is another one's, does not keep the others from agreeing.
  if (strays[0] !== undefined && fitting.length < quorum)
    throw new FirmproofError('chain-mismatch', strays[0], {
      hint: 'Give nodes of one chain with --rpc, and its number with --chain-id.',
    });
  requireQuorum(heads, nodes, quorum);
  // Highest first; one that says too much or too little of what is final does not keep the others from agreeing.
  const heights = [...new Set(fitting.map(({ answer }) => answer.final))].sort((one, other) => other - one);
  const strayed = strays.map((message): Finding => ({ code: 'nodes-disagree', severity: 'warn', message }));
  let dispute: readonly Finding[] = [];
  for (const number of heights) {
    const candidates = fitting.filter(({ answer }) => answer.final >= number).map(({ node }) => node);
    if (candidates.length < quorum) continue;
    const agreed = await agreeAt(number, candidates, quorum, wanted);
    if ('block' in agreed) return { ...agreed, quorum, findings: [...strayed, ...dispute, ...agreed.findings] };
    dispute = agreed.findings;
  }
  if (dispute[0]) throw new FirmproofError('nodes-disagree', dispute[0].message);
  throw new FirmproofError('no-quorum', `no block is called final by ${quorum} of ${nodes.length} nodes`, {
    hint: nodesHint,
  });
}

function mostSaid(chainIds: readonly number[]): number {
  const counted = (one: number) => chainIds.filter((other) => other === one).length;
  const [first = 0, ...others] = chainIds;
  return others.reduce((most, one) => (counted(one) > counted(most) ? one : most), first);
}

const nodesHint = 'Give more nodes with --rpc, or take fewer for enough with --quorum.';

async function agreeAt(
  number: number,
  nodes: readonly RpcNode[],
  quorum: number,
  chainId: number,
): Promise<Omit<AgreedBlock, 'quorum'> | { readonly findings: readonly Finding[] }> {
  const { answers } = await answersOf(nodes, quorum, async (node) => {
    const answer = blockSchema.parse(await node.call('eth_getBlockByNumber', [hexQuantity(number), false], tries));
    return blockStatementSchema.parse({ ...answer, number, chainId });
  });
  const groups = new Map<string, { readonly block: BlockStatement; readonly nodes: RpcNode[] }>();
  for (const { node, answer } of answers) {
    const key = JSON.stringify([answer.hash, answer.stateRoot, answer.timestamp]);
    const group = groups.get(key) ?? { block: answer, nodes: [] };
    group.nodes.push(node);
    groups.set(key, group);
  }
  const [most, ...others] = [...groups.values()].sort((one, other) => other.nodes.length - one.nodes.length);
  const findings = most ? others.map((other) => dispute(number, most, other)) : [];
  return most && most.nodes.length >= quorum ? { ...most, findings } : { findings };
}

type Group = { readonly block: BlockStatement; readonly nodes: readonly RpcNode[] };
const named = ({ nodes }: Group) => nodes.map(({ label }) => label).join(', ');

function dispute(number: number, most: Group, other: Group): Finding {
  const what = most.block.hash === other.block.hash ? 'stateRoot' : 'hash';
  return {
    code: 'nodes-disagree',
    severity: 'bad',
    message: `${named(other)} shows final block ${number} with ${what} ${other.block[what]}, ${named(most)} with ${most.block[what]}`,
  };
}

type Answers<Answer> = {
  readonly answers: readonly { readonly node: RpcNode; readonly answer: Answer }[];
  /** Why those that are missing have not answered, as far as they have said it. */
  readonly failures: readonly string[];
};

/** Asks all at once; once the quorum has answered, waits a moment for the others and no longer. */
async function answersOf<Answer>(
  nodes: readonly RpcNode[],
  quorum: number,
  ask: (node: RpcNode) => Promise<Answer>,
): Promise<Answers<Answer>> {
  const answers: { node: RpcNode; answer: Answer }[] = [];
  const failures: string[] = [];
  let onQuorum = () => {};
  const enough = new Promise<void>((resolve) => {
    onQuorum = resolve;
  });
  const all = nodes.map(async (node) => {
    try {
      answers.push({ node, answer: await ask(node) });
      if (answers.length === quorum) onQuorum();
    } catch (error) {
      failures.push(failureOf(node, error));
    }
  });
  const grace = new AbortController();
  const late = enough.then(() => pause(graceMilliseconds, undefined, { signal: grace.signal })).catch(() => undefined);
  await Promise.race([Promise.all(all), late]);
  grace.abort();
  const inOrder = nodes.flatMap((node) => answers.find((answer) => answer.node === node) ?? []);
  return { answers: inOrder, failures: [...failures] };
}

function failureOf(node: RpcNode, error: unknown): string {
  if (isFirmproofError(error)) return error.message;
  if (error instanceof RpcRefusal) return `${node.label} refuses: ${error.message}`;
  return `${node.label} answers with something else than a block`;
}

function requireQuorum({ answers, failures }: Answers<unknown>, nodes: readonly RpcNode[], quorum: number): void {
  if (answers.length >= quorum) return;
  const why = failures.join('; ');
  if (nodes.length === 1) throw new FirmproofError('chain-unreachable', why);
  throw new FirmproofError(
    'no-quorum',
    `${answers.length} of ${nodes.length} nodes answer, ${quorum} are needed: ${why}`,
    {
      hint: nodesHint,
    },
  );
}

const unsuitable = (node: RpcNode, why: string) => new FirmproofError('chain-unsuitable', `${node.label} ${why}`);
