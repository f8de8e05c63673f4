import type { Check } from '@firmproof/protocol/review';
import { Icon } from './icon.tsx';

const words = { passed: 'Checked', failed: 'Wrong', unchecked: 'Not checked' } as const;
const icons = { passed: 'check', failed: 'cross', unchecked: 'attention' } as const;

/** What was looked at in this browser, failures first. */
export function CheckList({ checks }: { checks: readonly Check[] }) {
  const order = ['failed', 'unchecked', 'passed'];
  const sorted = [...checks].sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  return (
    <ul className="checks">
      {sorted.map(({ name, outcome, text }) => (
        <li key={name} className={outcome}>
          <Icon name={icons[outcome]} />
          <div>
            <p className="check-name">
              {name} <span className={`badge ${outcome}`}>{words[outcome]}</span>
            </p>
            <p>{text}</p>
          </div>
        </li>
      ))}
    </ul>
  );
}
