import type { ProductId } from '@firmproof/protocol';
import type { Finding, FindingSeverity } from '@firmproof/protocol/audit';
import { useState } from 'react';
import { Icon, type IconName } from '../../parts/icon.tsx';
import { linkTo } from '../route.ts';

const icons: Readonly<Record<FindingSeverity, IconName>> = { bad: 'stop', warn: 'attention', info: 'note' };
const words: Readonly<Record<FindingSeverity, string>> = { bad: 'Wrong', warn: 'Look at it', info: 'Worth knowing' };
const order: readonly FindingSeverity[] = ['bad', 'warn', 'info'];
const shownAtFirst = 6;

/** What in the history somebody should look at; the history itself may be all right. */
export function FindingsList({ product, findings }: { product: ProductId; findings: readonly Finding[] }) {
  const [all, setAll] = useState(false);
  if (findings.length === 0) return <p className="empty">Nothing in this history stands out.</p>;
  const sorted = [...findings]
    .reverse()
    .sort((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity));
  const shown = all ? sorted.slice(0, 500) : sorted.slice(0, shownAtFirst);
  return (
    <>
      <ul className="findings">
        {shown.map((finding) => (
          <li key={`${finding.code} ${finding.sequence} ${finding.message}`} className={finding.severity}>
            <Icon name={icons[finding.severity]} />
            <div>
              <p>
                <span className="visually-hidden">{words[finding.severity]}: </span>
                {finding.message}
              </p>
              <p className="quiet">
                <code>{finding.code}</code>
                {finding.sequence !== undefined && (
                  <>
                    {' · '}
                    <a href={linkTo.product(product, { search: `#${finding.sequence}` })}>entry {finding.sequence}</a>
                  </>
                )}
              </p>
            </div>
          </li>
        ))}
      </ul>
      {sorted.length > shownAtFirst && (
        <button type="button" className="button plain" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show the most important only' : `Show all ${sorted.length.toLocaleString('en')}`}
        </button>
      )}
    </>
  );
}
