import type { Proposal, ProposalKind, ProposalState } from '@firmproof/protocol';
import { describeTime } from '@firmproof/protocol/review';
import { isFinished } from '../server/load-proposal.ts';

const kinds: Record<ProposalKind, string> = {
  register: 'New product',
  publish: 'Release',
  promote: 'Promotion',
  revoke: 'Revocation',
  halt: 'Stop',
  configure: 'Change of configuration',
  apply: 'Configuration into force',
  veto: 'Veto',
  'anchor-devices': 'Devices',
  'revoke-device': 'Revocation of a device',
  'create-account': 'New account',
  'set-signers': 'Change of signers',
  'set-recovery': 'Change of recovery',
  'schedule-recovery': 'Announced recovery',
  recover: 'Recovery',
  'cancel-recovery': 'Cancelled recovery',
};

const stateWords: Record<ProposalState, string> = {
  received: 'arriving',
  stored: 'arriving',
  approving: 'waits for approvals',
  submitted: 'on its way to the chain',
  confirmed: 'done',
  rejected: 'rejected',
  expired: 'expired',
};

/** An account's proposals: those that wait first. */
export function ProposalList({ proposals }: { proposals: readonly Proposal[] }) {
  const waiting = proposals.filter((proposal) => !isFinished(proposal));
  const finished = proposals.filter(isFinished);
  return (
    <>
      {waiting.length === 0 ? <p className="empty">Nothing waits for approval.</p> : <List proposals={waiting} />}
      {finished.length > 0 && (
        <details>
          <summary>{finished.length} finished</summary>
          <List proposals={finished} />
        </details>
      )}
    </>
  );
}

const List = ({ proposals }: { proposals: readonly Proposal[] }) => (
  <ul className="proposals">
    {proposals.map(({ id, kind, version, channel, state, createdAt }) => (
      <li key={id}>
        <a href={`#/proposal/${id}`}>{[kinds[kind], version, channel && `on ${channel}`].filter(Boolean).join(' ')}</a>
        <span className="quiet">
          {stateWords[state]}, {describeTime(createdAt)}
        </span>
      </li>
    ))}
  </ul>
);
