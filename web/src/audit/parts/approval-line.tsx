import { isFirmproofError } from '@firmproof/protocol';
import type { EventApproval, HistoryEvent } from '@firmproof/protocol/audit';
import { Icon } from '../../parts/icon.tsx';
import { SignerName } from '../../parts/signer-name.tsx';
import { useLoaded } from '../../parts/use-loaded.ts';
import { loadApproval } from '../data/approvals.ts';
import type { ProductAudit } from '../data/audit.ts';
import { isVouchedFor } from '../data/judge.ts';
import { plural, shortHex } from './words.ts';

/** Who approved, in one line; the keys of it are shown where there are any. */
export function ApprovalLine({ audit, event }: { audit: ProductAudit; event: HistoryEvent }) {
  const loaded = useLoaded(() => loadApproval(audit, event), `${audit.product} ${event.sequence}`);
  const approver = audit.approvers[event.sequence - 1];
  if (loaded.state === 'loading')
    return <span className="quiet">approved by {approver ? shortHex(approver) : '…'}</span>;
  if (loaded.state === 'failed') return <Failed error={loaded.error} />;
  const { form, signers, quorum } = loaded.value;
  if (form === 'none') return <span className="quiet">needed no approval of its own</span>;
  const invalid = signers.filter(({ valid }) => !valid).length;
  // Signatures over an entry that the server may have made up prove nothing about the product.
  const isVouched = isVouchedFor(audit.verdict, event.sequence);
  const isSeen = signers.length > 0 && invalid === 0 && quorum !== 'missed';
  return (
    <span className={isSeen ? undefined : 'unseen'}>
      {signers.length > 0 ? (
        <details className={isVouched ? 'keys' : 'keys warn'}>
          <summary>
            {isSeen && <Icon name={isVouched ? 'check' : 'attention'} />}
            approved by {plural(signers.length, 'key')}
            {whatOfThem(invalid, quorum, isVouched)}
          </summary>
          <ul className="signers">
            {signers.map(({ signer, valid }) => (
              <li key={signer}>
                <SignerName signer={signer} />
                <SignatureBadge valid={valid} isVouched={isVouched} />
              </li>
            ))}
          </ul>
        </details>
      ) : (
        <>
          approved by {approver ? shortHex(approver) : 'somebody'}{' '}
          <span className="badge unchecked">not checked here</span>
        </>
      )}
    </span>
  );
}

function SignatureBadge({ valid, isVouched }: { valid: boolean; isVouched: boolean }) {
  if (!valid) return <span className="badge failed">not valid</span>;
  return isVouched ? (
    <span className="badge passed">signature verified</span>
  ) : (
    <span className="badge unchecked">signature holds</span>
  );
}

function whatOfThem(invalid: number, quorum: EventApproval['quorum'], isVouched: boolean): string {
  if (invalid > 0) return `, ${invalid} of them not valid`;
  if (!isVouched && quorum !== 'missed') return ': signatures hold; nobody vouches for this entry';
  switch (quorum) {
    case 'reached':
      return ', verified here';
    case 'missed':
      return ", not enough of the account's";
    case 'unknown':
      return ', signatures verified here, not whose keys they are';
  }
}

function Failed({ error }: { error: unknown }) {
  const lied = isFirmproofError(error) && error.code === 'transaction-mismatch';
  return lied ? (
    <span className="badge failed">the server gives another transaction</span>
  ) : (
    <span className="badge unchecked">approval not loaded</span>
  );
}
