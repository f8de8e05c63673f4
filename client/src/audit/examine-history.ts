import type { Address } from '@firmproof/protocol';
import {
  decodeEntry,
  type HistoryEvent,
  ProductHistory,
  type ProductPlace,
  type Transaction,
} from '@firmproof/protocol/audit';
import type { EventFacts } from './audit.ts';
import type { AuditState } from './audit-state.ts';
import { examineApproval, type Transactions } from './examine-approval.ts';
import { examineRelease, type Means } from './examine-release.ts';
import type { FindingList } from './finding-list.ts';
import { signerName } from './output/words.ts';
import type { AuditedApproval } from './report.ts';
import type { Sidecar } from './sidecar.ts';
import type { SignerSets } from './signer-sets.ts';

/** So many transactions are asked for together. */
const stride = 50;

/**
 * Goes through a complete history, oldest first: folds it into the model, finds out who approved what, and looks at each release's
 * attestation and content. What was found out goes to `facts`.
 * @param transactions null to ask nobody who approved
 */
export async function examineHistory(
  state: AuditState,
  facts: Sidecar,
  place: ProductPlace,
  options: {
    readonly transactions: Transactions | null;
    readonly signerSets?: SignerSets | null;
    readonly means: Means;
    readonly findings: FindingList;
    readonly total: number;
    readonly onProgress?: (done: number, total: number) => void;
  },
): Promise<ProductHistory> {
  const { transactions, signerSets = null, means, findings, total, onProgress } = options;
  const history = new ProductHistory();
  const attestations = state.attestations.reader();
  const seen = new Map<Address, AuditedApproval>();
  for (const events of inStrides(state)) {
    const found: readonly (Transaction | null)[] = transactions ? await transactions(events) : [];
    for (const [index, event] of events.entries()) {
      const approver = history.approverOf(event);
      const trustRoot = event.kind === 'registered' ? event.trustRoot : history.trustRoot;
      let approval: AuditedApproval = { ...skipped, approver };
      if (transactions) {
        const examined = await examineApproval(event, approver, found[index] ?? null, place, signerSets);
        approval = examined.approval;
        if (examined.finding) findings.add(examined.finding);
        noteSigners(event, approval, seen, findings);
      }
      findings.add(...history.apply(event));
      let eventFacts: EventFacts = { approval };
      if (event.kind === 'published') {
        const examined = await examineRelease(event, trustRoot, attestations(event.sequence), means);
        const { text, ...release } = examined.facts;
        if (text !== null) state.attestations.add(event.sequence, text);
        findings.add(...examined.findings);
        eventFacts = { approval, release };
      }
      facts.add(event.sequence, JSON.stringify(eventFacts));
    }
    onProgress?.(history.sequence, total);
  }
  for (const sidecar of [facts, state.transactions, state.attestations]) sidecar.flush();
  return history;
}

const skipped = { form: 'skipped', epoch: null, signers: [], quorum: 'unknown', set: null } as const;

function* inStrides(state: AuditState): Generator<readonly HistoryEvent[]> {
  let events: HistoryEvent[] = [];
  for (const entry of state.entries()) {
    events.push(decodeEntry(entry));
    if (events.length < stride) continue;
    yield events;
    events = [];
  }
  if (events.length > 0) yield events;
}

/** The epoch of a vendor account rises with every change of its signers. */
function noteSigners(
  { sequence }: HistoryEvent,
  approval: AuditedApproval,
  seen: Map<Address, AuditedApproval>,
  findings: FindingList,
): void {
  const { approver, epoch } = approval;
  if (approver === null || epoch === null) return;
  const before = seen.get(approver);
  if (before?.epoch != null && epoch <= before.epoch) return;
  seen.set(approver, approval);
  if (before === undefined) return;
  const what = `its signer epoch is ${epoch}, it was ${before.epoch}${changeOf(before.set, approval.set)}`;
  const message = `the signers of account ${approver} have changed before event ${sequence}: ${what}`.slice(0, 500);
  findings.add({ code: 'signers-changed', severity: 'warn', sequence, message });
}

function changeOf(before: AuditedApproval['set'], now: AuditedApproval['set']): string {
  if (before === null || now === null) return '';
  const lacking = (from: typeof now, other: typeof now) =>
    from.signers.filter((signer) => !other.signers.includes(signer)).map(signerName);
  const parts = [
    ...lacking(now, before).map((name) => `${name} came`),
    ...lacking(before, now).map((name) => `${name} went`),
    ...(before.threshold === now.threshold ? [] : [`${before.threshold} had to sign, now ${now.threshold}`]),
  ];
  return parts.length > 0 ? `; ${parts.join(', ')}` : '';
}
