import { type Address, isFirmproofError } from '@firmproof/protocol';
import {
  approvalOf,
  type Finding,
  type HistoryEvent,
  type ProductPlace,
  type Transaction,
  transactionSchema,
} from '@firmproof/protocol/audit';
import type { AuditedApproval } from './report.ts';
import type { RpcNode } from './rpc-node.ts';
import type { Sidecar } from './sidecar.ts';
import type { SignerSets } from './signer-sets.ts';

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
        found[index] = fitting(event, understood(answer.result));
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

const parsed = (text: string | null) => (text === null ? null : understood(JSON.parse(text)));

function understood(value: unknown): Transaction | null {
  if (typeof value !== 'object' || value === null) return null;
  const { hash, to, input } = value as Record<string, unknown>;
  const lower = (text: unknown) => (typeof text === 'string' ? text.toLowerCase() : text);
  const result = transactionSchema.safeParse({ hash: lower(hash), to: lower(to), input: lower(input) });
  return result.success ? result.data : null;
}

/** Who approved an event, and what about it somebody should know. */
export async function examineApproval(
  event: HistoryEvent,
  approver: Address | null,
  transaction: Transaction | null,
  place: ProductPlace,
  signerSets: SignerSets | null,
): Promise<{ readonly approval: AuditedApproval; readonly finding: Finding | null }> {
  const unseen = { approver, epoch: null, signers: [], quorum: 'unknown', set: null } as const;
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
    const seen = await approvalOf(event, transaction, { ...place, approver });
    const set = approver !== null && seen.epoch !== null ? await signerSets?.at(approver, seen.epoch) : null;
    if (set) {
      // Who has signed is proved already; whether they are enough is told by the set.
      const { quorum } = await approvalOf(event, transaction, { ...place, approver, signerSets: [set] });
      const { signers, threshold } = set;
      const approval: AuditedApproval = { ...seen, quorum, set: { signers, threshold } };
      if (quorum === 'reached') return { approval, finding: null };
      const differs = `the nodes show other signers of ${approver} at epoch ${seen.epoch} than those who have signed`;
      return { approval, finding: unproven('warn', differs) };
    }
    const approval: AuditedApproval = { ...seen, set: null };
    if (approval.quorum === 'missed') return { approval, finding: unproven('bad', 'a signature does not hold') };
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
