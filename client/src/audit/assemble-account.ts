import { type Bytes32, isFirmproofError } from '@firmproof/protocol';
import {
  type AccountChange,
  type AccountEvent,
  type AccountRecord,
  maximumAccountChanges,
  type SignerHistory,
  type Transaction,
} from '@firmproof/protocol/audit';
import type { KeptAccount } from './account-store.ts';
import { readTransaction } from './examine-approval.ts';
import type { RpcNode } from './rpc-node.ts';

type EventOf<Kind extends AccountEvent['kind']> = Extract<AccountEvent, { readonly kind: Kind }>;

/** Proven from the address to what storage holds, without anybody's word. */
export const isWholeChain = ({ sets, disputes, pending }: SignerHistory): boolean =>
  disputes.length === 0 &&
  sets.every(({ basis }) => basis !== 'shown') &&
  (pending === null || pending.approvers.length > 0);

/**
 * Makes changes out of the events that a node shows, and gets the transactions that they came from. null where the first set is not
 * among them.
 * @param events newest first
 * @param nodes who is asked for transactions, one after the other
 */
export async function assembleAccount(
  events: readonly AccountEvent[],
  nodes: readonly RpcNode[],
  pending: Bytes32 | null,
  tries: number | undefined,
): Promise<(KeptAccount & { readonly announcement: AccountRecord['announcement'] }) | null> {
  const ofKind = <Kind extends AccountEvent['kind']>(kind: Kind) =>
    events.filter((event): event is EventOf<Kind> => event.kind === kind);
  const sets = new Map(ofKind('signers-set').map((event) => [event.epoch, event]));
  const recoveries = ofKind('recovery-set');
  const announcements = ofKind('recovery-scheduled');
  const later = [...sets.values()]
    .filter(({ epoch }) => epoch > 1)
    .sort((one, other) => one.epoch - other.epoch)
    .slice(0, maximumAccountChanges);
  const announced = announcements.find((event) => event.pending === pending);
  // The newest that announces the same: an older one was cancelled.
  const announcementOf = (set: EventOf<'signers-set'>) =>
    announcements.find(({ epoch, signers, threshold }) => {
      return epoch === set.epoch && threshold === set.threshold && signers.join() === set.signers.join();
    });
  const wanted = [
    ...later.flatMap((set) => [set.transaction, announcementOf(set)?.transaction]),
    announced?.transaction,
  ].filter((hash) => hash !== undefined);
  const transactions = await fetchTransactions([...new Set(wanted)], nodes, tries);
  const of = (hash: Bytes32 | undefined) => (hash && transactions.get(hash)) ?? null;
  const changes = later.map((set): AccountChange => {
    const { epoch, block, transaction } = set;
    const recovery = recoveries.find((other) => other.transaction === transaction);
    return {
      epoch,
      block,
      set: { signers: [...set.signers], threshold: set.threshold, passkeysAlone: set.passkeysAlone },
      recovery: recovery ? { signers: [...recovery.signers], threshold: recovery.threshold } : null,
      transaction: of(transaction),
      announcement: of(announcementOf(set)?.transaction),
    };
  });
  const [first, recovery] = [sets.get(1), recoveries.find(({ epoch }) => epoch === 1)];
  const announcement = of(announced?.transaction);
  if (!(first && recovery)) return changes.length === 0 && announcement ? { ...nobody, announcement } : null;
  const { threshold, passkeysAlone } = first;
  const more = { recoverySigners: [...recovery.signers], recoveryThreshold: recovery.threshold };
  return {
    first: { signers: [...first.signers], threshold, passkeysAlone, ...more },
    changes,
    announcement,
    shownBy: 1,
  };
}

/** Where nothing was searched but an announcement. */
const nobody: KeptAccount = {
  first: { signers: [], threshold: 1, passkeysAlone: false, recoverySigners: [], recoveryThreshold: 0 },
  changes: [],
  shownBy: 0,
};

async function fetchTransactions(
  hashes: readonly Bytes32[],
  nodes: readonly RpcNode[],
  tries: number | undefined,
): Promise<ReadonlyMap<Bytes32, Transaction>> {
  const found = new Map<Bytes32, Transaction>();
  for (const node of nodes) {
    const missing = hashes.filter((hash) => !found.has(hash));
    if (missing.length === 0) break;
    const calls = missing.map((hash) => ({ method: 'eth_getTransactionByHash', params: [hash] }));
    const answers = await node.batch(calls, tries).catch((error: unknown) => {
      if (isFirmproofError(error)) return [];
      throw error;
    });
    for (const [index, answer] of answers.entries()) {
      const transaction = 'result' in answer ? readTransaction(answer.result) : null;
      if (transaction && transaction.hash === missing[index]) found.set(transaction.hash, transaction);
    }
  }
  return found;
}
