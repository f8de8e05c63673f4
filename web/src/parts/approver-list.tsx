import type { Proposal } from '@firmproof/protocol';
import { type Approver, describeTime, progressOf, type QuorumProgress } from '@firmproof/protocol/review';
import { Icon } from './icon.tsx';
import { SignerName } from './signer-name.tsx';

const roles = { current: 'Signers', proposed: 'New signers', recovery: 'Recovery signers' } as const;

/** Who has approved, who has rejected, who is missing. */
export function ApproverList({ proposal }: { proposal: Proposal }) {
  return progressOf(proposal).map((progress) => <Quorum key={progress.role} progress={progress} />);
}

function Quorum({ progress }: { progress: QuorumProgress }) {
  const { role, approved, threshold, approvers, needsOutside, complete } = progress;
  return (
    <section className="quorum" aria-label={roles[role]}>
      <p className="quorum-head">
        <strong>
          {approved} of {threshold} needed
        </strong>{' '}
        {roles[role].toLowerCase()} have approved{complete ? '.' : needsOutside ? '; one more rule:' : '.'}
      </p>
      {needsOutside && (
        <p className="outside">
          One approval has to come from outside a browser: a wallet or a P-256 key, with <code>firmproof approve</code>.
        </p>
      )}
      <ul className="approvers">
        {approvers.map((approver) => (
          <li key={approver.signer}>
            <SignerName signer={approver.signer} />
            <Standing approver={approver} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Standing({ approver: { state, at, reason } }: { approver: Approver }) {
  const icon = ({ approved: 'check', rejected: 'cross', missing: 'waiting' } as const)[state];
  return (
    <span className={`standing ${state}`}>
      <Icon name={icon} />
      <span>
        {state === 'missing' ? 'not yet' : state}
        {at !== undefined && <span className="quiet"> {describeTime(at)}</span>}
        {reason !== undefined && <span className="reason">“{reason}”</span>}
      </span>
    </span>
  );
}
