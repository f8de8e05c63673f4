import { zeroAddress } from '@firmproof/protocol';
import type { ConfigurationField, ProductHistory } from '@firmproof/protocol/audit';
import { describeDistance, describeDuration, describeTime } from '@firmproof/protocol/review';
import { Notice } from '../../parts/notice.tsx';

const labels: Readonly<Record<ConfigurationField, string>> = {
  publisher: 'Publisher',
  guardian: 'Guardian',
  delay: 'Delay before installable',
  'trust-root': 'Trust root sha-256',
};

/** A change of keys or policy that waits: the one thing that somebody may still want to stop. */
export function PendingChange({ history }: { history: ProductHistory }) {
  const { pending } = history;
  const change = history.changes.find(({ sequence }) => sequence === pending?.sequence);
  if (pending === null || change === undefined) return null;
  const now = Math.floor(Date.now() / 1000);
  const isDue = pending.pendingFrom <= now;
  const whoMay = change.changes.includes('publisher') ? 'the new publisher' : 'anybody';
  const canVeto = pending.vetoable && history.guardian !== zeroAddress;
  const value = (field: ConfigurationField, of: typeof change.values) =>
    ({
      publisher: of.publisher,
      guardian: of.guardian === zeroAddress ? 'nobody' : of.guardian,
      delay: describeDuration(of.delaySeconds),
      'trust-root': of.trustRoot,
    })[field];
  const { publisher, guardian, delaySeconds, trustRoot } = history;
  const before = { publisher, guardian, delaySeconds, trustRoot };
  return (
    <Notice
      tone="warn"
      title={isDue ? 'A change of keys or policy waits to be put in force' : 'A change of keys or policy is scheduled'}
    >
      <p>
        {isDue
          ? `Approved by the publisher. Its time came on ${describeTime(pending.pendingFrom)}: ${whoMay} can put it in force`
          : `In force from ${describeTime(pending.pendingFrom)} (${describeDistance(pending.pendingFrom, now)}) at the earliest, approved by the publisher`}
        ; {canVeto ? 'the guardian can still stop it' : 'nobody can veto it'}.
      </p>
      <dl className="rows">
        {change.changes.map((field) => (
          <div className="row" key={field}>
            <dt>{labels[field]}</dt>
            <dd>
              <code className="exact">{value(field, change.values)}</code>
              <span className="before">
                <span className="quiet">now: </span>
                <code className="exact">{value(field, before)}</code>
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </Notice>
  );
}
