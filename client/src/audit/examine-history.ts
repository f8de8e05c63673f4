import { type Address, zeroAddress } from '@firmproof/protocol';
import {
  decodeEntry,
  type HistoryEvent,
  ProductHistory,
  type ProductPlace,
  type Transaction,
} from '@firmproof/protocol/audit';
import type { SignerHistories } from './account-reader.ts';
import type { EventFacts } from './audit.ts';
import type { AuditState } from './audit-state.ts';
import { examineApproval, type Transactions } from './examine-approval.ts';
import { examineRelease, type Means } from './examine-release.ts';
import { signerFindings } from './examine-signers.ts';
import type { FindingList } from './finding-list.ts';
import type { AuditedApproval } from './report.ts';
import type { SaidLater } from './said-later.ts';
import type { Sidecar } from './sidecar.ts';

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
    /** Whose keys vendor accounts have had. */
    readonly signers: SignerHistories;
    readonly means: Means;
    readonly later: SaidLater;
    readonly findings: FindingList;
    readonly total: number;
    readonly onProgress?: (done: number, total: number) => void;
  },
): Promise<ProductHistory> {
  const { transactions, signers, means, later, findings, total, onProgress } = options;
  const history = new ProductHistory();
  const attestations = state.attestations.reader();
  const accounts = new Set<Address>();
  for (const events of inStrides(state)) {
    const found: readonly (Transaction | null)[] = transactions ? await transactions(events) : [];
    for (const [index, event] of events.entries()) {
      const approver = history.approverOf(event);
      const trustRoot = event.kind === 'registered' ? event.trustRoot : history.trustRoot;
      let approval: AuditedApproval = { ...skipped, approver };
      if (transactions) {
        const examined = await examineApproval(
          event,
          approver,
          found[index] ?? null,
          place,
          approver && (await signers(approver)),
        );
        approval = examined.approval;
        if (examined.finding) findings.add(examined.finding);
        if (approver) accounts.add(approver);
      }
      findings.add(...history.apply(event));
      let eventFacts: EventFacts = { approval };
      if (event.kind === 'published') {
        const examined = await examineRelease(event, trustRoot, attestations(event.sequence), means);
        const { text, ...release } = examined.facts;
        if (text !== null) state.attestations.add(event.sequence, text);
        findings.add(...examined.findings);
        const { rebuilds, texts } = await later.rebuildsOf(event, text, trustRoot);
        for (const rebuild of texts) state.rebuilds.addAnother(event.sequence, rebuild);
        eventFacts = { approval, release: { ...release, rebuilds } };
      }
      facts.add(event.sequence, JSON.stringify(eventFacts));
    }
    onProgress?.(history.sequence, total);
  }
  if (transactions) {
    for (const account of accounts.add(history.publisher).add(history.guardian))
      if (account !== zeroAddress)
        findings.add(...signerFindings(await signers(account), history.registered.block.number));
  }
  for (const sidecar of [facts, state.transactions, state.attestations, state.rebuilds]) sidecar.flush();
  return history;
}

const skipped = { form: 'skipped', epoch: null, signers: [], quorum: 'unknown', signersBy: null } as const;

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
