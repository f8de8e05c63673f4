import { describeDistance } from '@firmproof/protocol/review';
import type { ReactNode } from 'react';
import { Icon } from '../../parts/icon.tsx';
import type { ProductAudit } from '../data/audit.ts';
import type { Problem } from '../data/problem.ts';
import { voucherInWords } from '../data/sightings.ts';
import { plural } from './words.ts';

const icons = { good: 'check', warn: 'attention', bad: 'stop' } as const;

/** The answer before everything else: whether the history is complete, and who says so. */
export function VerdictBanner({ audit, children }: { audit: ProductAudit; children?: ReactNode }) {
  const { tone, problems } = audit.verdict;
  const worst = problems.filter(({ severity }) => severity === 'bad');
  const notes = problems.filter(({ severity }) => severity === 'warn');
  return (
    <section className={`verdict ${tone}`} aria-label="Verdict" role={tone === 'bad' ? 'alert' : undefined}>
      <Icon name={icons[tone]} />
      <div>
        <p className="verdict-title">{titleOf(audit)}</p>
        <p>{sentenceOf(audit)}</p>
        {worst.length > 0 && <ProblemList problems={worst} />}
        {notes.length > 0 && (tone === 'bad' ? null : <ProblemList problems={notes} />)}
        {children}
      </div>
    </section>
  );
}

function ProblemList({ problems }: { problems: readonly Problem[] }) {
  return (
    <ul className="problems">
      {problems.map(({ code, text }) => (
        <li key={text}>
          {text} <code>{code}</code>
        </li>
      ))}
    </ul>
  );
}

function titleOf({ verdict, trustRoot, sightings }: ProductAudit): string {
  if (verdict.tone === 'bad') return 'Do not rely on this: something here is not true';
  if (verdict.tone === 'good') return 'The history is complete, and vouched for';
  if (verdict.vouchedUpTo > 0) return 'Complete up to a block that is old';
  return trustRoot || sightings.problems.length > 0
    ? 'Said by the server; not enough of those whom you believe vouch for it'
    : 'Said by the server, not checked here';
}

function sentenceOf(audit: ProductAudit): string {
  const { verdict, events } = audit;
  const { tone, block, vouchedUpTo, vouchers } = verdict;
  const entries = plural(events.length, 'entry', 'entries');
  if (tone === 'bad') return 'Tell the vendor and whoever runs the server or the node that is named here.';
  if (block === null) return `${entries}; the server gives no proof of what storage holds.`;
  const now = Math.floor(Date.now() / 1000);
  const where = `block ${block.number.toLocaleString('en')} (${describeDistance(block.timestamp, now)})`;
  if (vouchedUpTo === 0) {
    return `${entries} replay to what the server proves for ${where}, but nobody whom you believe vouches for that block. ${wayOut(audit)}`;
  }
  const later = events.length - vouchedUpTo;
  const rest = later > 0 ? ` ${plural(later, 'newer entry is', 'newer entries are')} not final yet.` : '';
  return `${plural(vouchedUpTo, 'entry replays', 'entries replay')} to the hash that the registry's storage holds at ${where}. ${vouchers.map(voucherInWords).join(' ')}${rest}`;
}

/** What the visitor can do about it that they have not done already. */
function wayOut({ trustRoot, settings: { rpcUrls } }: ProductAudit): string {
  if (rpcUrls.length === 0)
    return trustRoot
      ? 'RPC nodes of your choice can vouch for it as well.'
      : "Use the vendor's trust root, or RPC nodes of your choice.";
  const nodes = rpcUrls.length === 1 ? 'Your RPC node does not' : 'Not enough of your RPC nodes do';
  return trustRoot ? `${nodes}, and neither do enough witnesses.` : `${nodes}; the vendor's trust root can.`;
}
