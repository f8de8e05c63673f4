import type { HistoryEvent } from '@firmproof/protocol/audit';
import { useEffect, useId, useMemo, useState } from 'react';
import type { ProductAudit } from '../data/audit.ts';
import { linkTo, type Query } from '../route.ts';
import { groupOf, type KindGroup, kindGroups } from './event-words.ts';
import { plural } from './words.ts';

const typingMilliseconds = 200;

type Props = {
  readonly audit: ProductAudit;
  readonly query: Query;
  readonly found: readonly HistoryEvent[];
};

/** Filters live in the address, so that what somebody looks at can be sent to others. */
export function FilterBar({ audit, query, found }: Props) {
  const { product, events, history } = audit;
  const [text, setText] = useState(query['search'] ?? '');
  const [search, channel] = [useId(), useId()];
  const counts = useMemo(() => countsOf(events), [events]);
  const chosen = query['kinds'] ? query['kinds'].split(',') : [];
  const go = (change: Query) => location.replace(linkTo.product(product, { ...query, page: '', ...change }));
  const toggle = (id: KindGroup) =>
    go({ kinds: (chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]).join(',') });

  // The address follows the typing; where the address changes by a link, the field follows it.
  useEffect(() => setText(query['search'] ?? ''), [query]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only typing waits
  useEffect(() => {
    if (text === (query['search'] ?? '')) return;
    const typing = setTimeout(() => go({ search: text }), typingMilliseconds);
    return () => clearTimeout(typing);
  }, [text]);

  return (
    <search className="filters">
      <div className="filter-search">
        <label htmlFor={search}>Search</label>
        <input
          id={search}
          type="search"
          value={text}
          placeholder="Version, digest, address, #entry"
          autoComplete="off"
          spellCheck={false}
          onChange={({ target }) => setText(target.value)}
        />
      </div>
      {history.channels.size > 0 && (
        <div className="filter-channel">
          <label htmlFor={channel}>Channel</label>
          <select id={channel} value={query['channel'] ?? ''} onChange={({ target }) => go({ channel: target.value })}>
            <option value="">All</option>
            {[...history.channels.keys()].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </div>
      )}
      <fieldset className="filter-kinds">
        <legend>What happened</legend>
        {kindGroups.map(({ id, label }) => (
          <button
            key={id}
            type="button"
            className="chip"
            aria-pressed={chosen.includes(id)}
            disabled={(counts[id] ?? 0) === 0}
            onClick={() => toggle(id)}
          >
            {label} <span className="chip-count">{(counts[id] ?? 0).toLocaleString('en')}</span>
          </button>
        ))}
      </fieldset>
      <p className="filter-found" role="status">
        {found.length === events.length
          ? plural(events.length, 'entry', 'entries')
          : `${found.length.toLocaleString('en')} of ${plural(events.length, 'entry', 'entries')}`}
        {found.length !== events.length && (
          <>
            {' · '}
            <a href={linkTo.product(product)}>show all</a>
          </>
        )}
      </p>
    </search>
  );
}

function countsOf(events: readonly HistoryEvent[]): Partial<Record<KindGroup, number>> {
  const counts: Partial<Record<KindGroup, number>> = {};
  for (const event of events) {
    const group = groupOf(event);
    counts[group] = (counts[group] ?? 0) + 1;
  }
  return counts;
}
