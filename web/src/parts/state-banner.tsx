import type { Proposal } from '@firmproof/protocol';
import { Notice } from './notice.tsx';

/** Where the proposal is on its way. */
export function StateBanner({ proposal }: { proposal: Proposal }) {
  const { state, reason, transaction, held } = proposal;
  switch (state) {
    case 'confirmed':
      return (
        <Notice tone="good" title="Done: it is on chain.">
          {transaction && (
            <>
              Transaction <code className="exact">{transaction}</code>
            </>
          )}
        </Notice>
      );
    case 'rejected':
    case 'expired':
      return (
        <Notice tone="warn" title={state === 'rejected' ? 'Rejected: it will not happen.' : 'Expired: too late.'}>
          {reason && (
            <>
              {sentence(reason.message)} <code>{reason.code}</code>
            </>
          )}
        </Notice>
      );
    case 'submitted':
      return <Notice tone="plain" title="All approvals are here. It is on its way to the chain." />;
    default:
      return (
        <Notice
          tone="plain"
          title={
            held
              ? 'A way back, approved in advance: it happens only when somebody asks for it.'
              : 'Waiting for approvals.'
          }
        >
          {reason && reason.code !== 'approvals-missing' && (
            <>
              {sentence(reason.message)} <code>{reason.code}</code>
            </>
          )}
        </Notice>
      );
  }
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
