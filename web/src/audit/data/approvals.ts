import { approvalOf, type EventApproval, type HistoryEvent } from '@firmproof/protocol/audit';
import type { ProductAudit } from './audit.ts';
import { oneByOne } from './one-by-one.ts';
import { signerSetsOf } from './signer-sets.ts';

/** Only so many at once: a page of events asks for as many transactions. */
const inTurn = oneByOne(4);

/**
 * Who approved an event: signatures from its transaction, verified here over what the entry itself says; and whether those were
 * enough of the account's keys, where that can be known here.
 * @throws FirmproofError `transaction-mismatch`, and what the server answers
 */
export async function loadApproval(audit: ProductAudit, event: HistoryEvent): Promise<EventApproval> {
  const transaction = await inTurn(() => audit.carrier.transaction(audit.product, event.sequence));
  const approver = audit.approvers[event.sequence - 1] ?? null;
  const signerSets = (approver && (await signerSetsOf(audit, approver))) ?? undefined;
  return approvalOf(event, transaction, { ...audit.place, approver, signerSets });
}
