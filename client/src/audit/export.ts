import { FirmproofError } from '@firmproof/protocol';
import {
  type AuditLine,
  auditFileText,
  maximumAccountChangesInFile,
  maximumAccountsInFile,
  maximumAdvisoriesInFile,
} from '@firmproof/protocol/audit-file';
import type { Audit } from './audit.ts';
import { writeText } from './output/write-file.ts';

/**
 * Writes everything that the audit rests on into one file (X1 to X4 of docs/spec/audit.md), which `auditFile` verifies without a
 * network. Addresses of nodes and servers are not in it (A40). Returns of how many releases it lacks the attestation: whoever
 * verifies the file is told of each.
 * @throws FirmproofError `history-incomplete` where the audit is: nothing of it is proven; `file-not-found`
 */
export function writeAuditFile(audit: Audit, file: string): number {
  const { complete, chainId, registry, product, sequence, basis } = audit.summary;
  if (!complete)
    throw new FirmproofError('history-incomplete', 'the history is incomplete, so there is nothing proven to export');
  const { asked = 0, quorum = 0 } = basis.nodes ?? {};
  writeText(
    file,
    auditFileText({ chainId, registry, product, entries: sequence, nodes: asked, quorum }, linesOf(audit)),
  );
  let lacking = 0;
  for (const { statement } of audit.releases()) if (statement === null) lacking += 1;
  return lacking;
}

function* linesOf(audit: Audit): Generator<Exclude<AuditLine, { readonly kind: 'header' | 'end' }>> {
  const { proofs, trustRoots, sigstoreRoots, accounts, advisories } = audit.material;
  for (const proof of proofs) yield { kind: 'proof', proof };
  for (const envelope of trustRoots) yield { kind: 'trust-root', envelope: JSON.parse(envelope) };
  for (const text of sigstoreRoots) yield { kind: 'sigstore-root', text };
  let room = maximumAccountChangesInFile;
  for (const { changes, ...account } of accounts.slice(0, maximumAccountsInFile)) {
    yield { kind: 'account', account };
    for (const change of changes.slice(0, room)) yield { kind: 'account-change', change };
    room = Math.max(0, room - changes.length);
  }
  for (const text of advisories.slice(0, maximumAdvisoriesInFile)) yield { kind: 'advisory', text };
  for (const { entry, transaction, attestation, rebuilds } of audit.entries()) {
    yield { kind: 'entry', entry };
    if (transaction !== null) yield { kind: 'transaction', transaction: JSON.parse(transaction) };
    if (attestation !== null) yield { kind: 'attestation', text: attestation };
    for (const text of rebuilds) yield { kind: 'rebuild', text };
  }
}
