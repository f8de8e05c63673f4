import type { HistoryEvent } from '@firmproof/protocol/audit';
import { describeTime } from '@firmproof/protocol/review';
import { useState } from 'react';
import type { ProductAudit } from '../data/audit.ts';
import { linkTo, type Query } from '../route.ts';
import { ApprovalLine } from './approval-line.tsx';
import { CompareLink } from './compare-link.tsx';
import { describeChange, describeEvent, detailsOf, kindWords } from './event-words.ts';
import { pagesOf } from './timeline-filter.ts';

type Props = { readonly audit: ProductAudit; readonly events: readonly HistoryEvent[]; readonly query: Query };

/** What happened, newest first, a page at a time: thousands of rows are for nobody to scroll through. */
export function Timeline({ audit, events, query }: Props) {
  const { shown, page, pages } = pagesOf(events, query);
  if (shown.length === 0) return <p className="empty">Nothing fits these filters.</p>;
  return (
    <>
      <ol className="timeline" reversed start={shown[0]?.sequence ?? 0}>
        {shown.map((event) => (
          <Row key={event.sequence} audit={audit} event={event} />
        ))}
      </ol>
      {pages > 1 && (
        <nav className="pages" aria-label="Pages of the timeline">
          <PageLink audit={audit} query={query} page={page - 1} disabled={page === 1} label="Newer" />
          <span>
            Page {page} of {pages.toLocaleString('en')}
          </span>
          <PageLink audit={audit} query={query} page={page + 1} disabled={page === pages} label="Older" />
        </nav>
      )}
    </>
  );
}

type PageLinkProps = {
  readonly audit: ProductAudit;
  readonly query: Query;
  readonly page: number;
  readonly disabled: boolean;
  readonly label: string;
};

function PageLink({ audit, query, page, disabled, label }: PageLinkProps) {
  if (disabled) return <span className="button disabled">{label}</span>;
  return (
    <a className="button" href={linkTo.product(audit.product, { ...query, page: page === 1 ? '' : String(page) })}>
      {label}
    </a>
  );
}

function Row({ audit, event }: { audit: ProductAudit; event: HistoryEvent }) {
  const [open, setOpen] = useState(false);
  const isVouched = event.sequence <= audit.verdict.vouchedUpTo;
  return (
    <li className={`event ${event.kind}`}>
      <div className="event-when">
        <time dateTime={new Date(event.time * 1000).toISOString()}>{describeTime(event.time)}</time>
        <span className="quiet">entry {event.sequence}</span>
      </div>
      <div className="event-what">
        <p className="event-title">
          <span className={`kind ${event.kind}`}>{kindWords[event.kind]}</span>
          <EventText audit={audit} event={event} />
          {!isVouched && audit.verdict.vouchedUpTo > 0 && <span className="badge unchecked">not final yet</span>}
        </p>
        <div className="event-by">
          <ApprovalLine audit={audit} event={event} />
          <button type="button" className="button plain" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Less' : 'All of it'}
            <span className="visually-hidden"> about entry {event.sequence}</span>
          </button>
        </div>
        {open && (
          <dl className="rows">
            {detailsOf(event).map(({ label, value, exact }) => (
              <div className="row" key={label}>
                <dt>{label}</dt>
                <dd>{exact ? <code className="exact">{value}</code> : value}</dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </li>
  );
}

function EventText({ audit, event }: { audit: ProductAudit; event: HistoryEvent }) {
  const change = audit.history.changes.find(({ sequence }) => sequence === event.sequence);
  if (change) {
    const from = event.kind === 'scheduled' ? `, in force from ${describeTime(event.pendingFrom)} at the earliest` : '';
    return <span className="event-text">{`${describeChange(change)}${from}`}</span>;
  }
  if (event.kind !== 'published' && event.kind !== 'promoted' && event.kind !== 'revoked')
    return <span className="event-text">{describeEvent(event)}</span>;
  const revoked = audit.history.releases.get(event.version)?.revoked;
  return (
    <span className="event-text">
      <a href={linkTo.release(audit.product, event.version)}>{event.version}</a>
      {describeEvent(event).slice(event.version.length)}
      {event.kind === 'published' && <CompareLink audit={audit} version={event.version} />}
      {event.kind === 'published' && revoked && <span className="badge failed">revoked</span>}
    </span>
  );
}
