import { type Address, isFirmproofError } from '@firmproof/protocol';
import {
  approvalOf,
  type Finding,
  type HistoryEvent,
  type ProductPlace,
  type SignerHistory,
  type Transaction,
  transactionSchema,
} from '@firmproof/protocol/audit';
import type { AuditedApproval } from './report.ts';
import type { RpcNode } from './rpc-node.ts';
import type { Sidecar } from './sidecar.ts';

/** Where transactions come from, several at once; null for one that nobody has. */
export type Transactions = (events: readonly HistoryEvent[]) => Promise<readonly (Transaction | null)[]>;

/** Those that are kept here already, else from the nodes, each of which is asked for what the ones before it lack. */
export function transactionsFrom(nodes: readonly RpcNode[], kept: Sidecar): Transactions {
  const read = kept.reader();
  const silent = new Set<RpcNode>();
  const tries = nodes.length > 1 ? 3 : undefined;
  return async (events) => {
    const found = events.map((event) => fitting(event, parsed(read(event.sequence))));
    for (const node of nodes.filter((candidate) => !silent.has(candidate))) {
      const missing = events.flatMap((event, index) => (found[index] === null ? [{ event, index }] : []));
      if (missing.length === 0) break;
      const calls = missing.map(({ event }) => ({ method: 'eth_getTransactionByHash', params: [event.transaction] }));
      const answers = await node.batch(calls, tries).catch((error: unknown) => {
        if (!isFirmproofError(error)) throw error;
        silent.add(node);
        return [];
      });
      for (const [place, answer] of answers.entries()) {
        const { event, index } = missing[place] ?? {};
        if (event === undefined || index === undefined || !('result' in answer)) continue;
        found[index] = fitting(event, readTransaction(answer.result));
      }
    }
    for (const [index, event] of events.entries()) {
      const transaction = found[index];
      if (transaction) kept.add(event.sequence, JSON.stringify(transaction));
    }
    return found;
  };
}

/** One of another hash is of no use, whoever says that it is the one. */
const fitting = (event: HistoryEvent, transaction: Transaction | null) =>
  transaction?.hash === event.transaction ? transaction : null;

const parsed = (text: string | null) => (text === null ? null : readTransaction(JSON.parse(text)));

/** What a node says a transaction is; null for what is none. */
export function readTransaction(value: unknown): Transaction | null {
  if (typeof value !== 'object' || value === null) return null;
  const { hash, to, input } = value as Record<string, unknown>;
  const lower = (text: unknown) => (typeof text === 'string' ? text.toLowerCase() : text);
  const result = transactionSchema.safeParse({ hash: lower(hash), to: lower(to), input: lower(input) });
  return result.success ? result.data : null;
}

function missedBecause({ signers, epoch, approver }: AuditedApproval): string {
  if (signers.length === 0) return `the transaction has no approval that account ${approver} would take`;
  if (epoch === null || !signers.every(({ valid }) => valid))
    return 'a signature does not hold for any signers that the account has had';
  return `those who signed were not enough signers of account ${approver} at that time`;
}

/** Who approved an event, and what about it somebody should know. */
export async function examineApproval(
  event: HistoryEvent,
  approver: Address | null,
  transaction: Transaction | null,
  place: ProductPlace,
  signers: SignerHistory | null,
): Promise<{ readonly approval: AuditedApproval; readonly finding: Finding | null }> {
  const unseen = { approver, epoch: null, signers: [], quorum: 'unknown', signersBy: null } as const;
  const about = `${event.kind} (event ${event.sequence})`;
  const unproven = (severity: Finding['severity'], message: string): Finding => ({
    code: 'approval-unproven',
    severity,
    sequence: event.sequence,
    message: `who approved ${about} is not proven: ${message}`.slice(0, 500),
  });
  if (transaction === null) {
    const approval = { ...unseen, form: 'unavailable' } as const;
    return { approval, finding: unproven('warn', `nobody has transaction ${event.transaction}`) };
  }
  try {
    const approval = await approvalOf(event, transaction, { ...place, approver, signerSets: signers?.sets });
    if (approval.quorum === 'missed') return { approval, finding: unproven('bad', missedBecause(approval)) };
    if (approval.form === 'vendor-account' && approval.quorum === 'unknown')
      return { approval, finding: unproven('warn', `whose keys account ${approver} has is not known`) };
    if (approval.form === 'contract')
      return { approval, finding: unproven('info', `${approver} is a contract whose rules are its own`) };
    if (approval.form === 'unknown')
      return { approval, finding: unproven('info', 'another contract has called the registry') };
    return { approval, finding: null };
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    return { approval: { ...unseen, form: 'contradicted' }, finding: unproven('bad', error.message) };
  }
}
