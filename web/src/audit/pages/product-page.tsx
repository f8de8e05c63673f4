import { type ProductId, zeroAddress } from '@firmproof/protocol';
import { describeDuration } from '@firmproof/protocol/review';
import { useMemo } from 'react';
import { PageTitle } from '../../parts/page-title.tsx';
import { Section } from '../../parts/section.tsx';
import type { ProductAudit } from '../data/audit.ts';
import { Audited } from '../parts/auditing.tsx';
import { ChannelList } from '../parts/channel-list.tsx';
import { ExportButtons } from '../parts/export-buttons.tsx';
import { FilterBar } from '../parts/filter-bar.tsx';
import { FindingsList } from '../parts/findings-list.tsx';
import { PendingChange } from '../parts/pending-change.tsx';
import { ProductHeader } from '../parts/product-header.tsx';
import { ShortId } from '../parts/short-id.tsx';
import { shownFindings } from '../parts/shown-findings.ts';
import { Timeline } from '../parts/timeline.tsx';
import { filterEvents } from '../parts/timeline-filter.ts';
import { TrustRootOffer } from '../parts/trust-root-offer.tsx';
import { VerdictBanner } from '../parts/verdict-banner.tsx';
import type { Query } from '../route.ts';

/** One product: whether its history is complete, first of all; then everything that has happened. */
export function ProductPage({ product, query }: { product: ProductId; query: Query }) {
  return <Audited product={product}>{(audit) => <Shown audit={audit} query={query} />}</Audited>;
}

function Shown({ audit, query }: { audit: ProductAudit; query: Query }) {
  const { product, history, events } = audit;
  const found = useMemo(() => filterEvents(events, query), [events, query]);
  if (events.length === 0) {
    return (
      <>
        <p className="kicker">Product</p>
        <PageTitle>Nothing can be shown</PageTitle>
        <VerdictBanner audit={audit} />
      </>
    );
  }
  return (
    <>
      <ProductHeader audit={audit} page="product" />
      <VerdictBanner audit={audit}>
        <TrustRootOffer audit={audit} />
      </VerdictBanner>
      {history.pending && <PendingChange history={history} />}
      <Facts audit={audit} />
      <Section title="Channels">
        <ChannelList product={product} history={history} />
      </Section>
      <Section title="What stands out" hint="In the history itself, whoever carries it.">
        <FindingsList product={product} findings={shownFindings(audit.findings, history.pending)} />
      </Section>
      <Section title="Timeline">
        <FilterBar audit={audit} query={query} found={found} />
        <Timeline audit={audit} events={found} query={query} />
      </Section>
      <Section title="Take it with you">
        <ExportButtons audit={audit} />
      </Section>
    </>
  );
}

/** Who may do what, and how much there is. */
function Facts({ audit }: { audit: ProductAudit }) {
  const { history, events } = audit;
  const revoked = [...history.releases.values()].filter((release) => release.revoked !== null).length;
  return (
    <dl className="facts">
      <div>
        <dt>Releases</dt>
        <dd>
          {history.releases.size.toLocaleString('en')}
          {revoked > 0 && <span className="fact-note"> {revoked} revoked</span>}
        </dd>
      </div>
      <div>
        <dt>Entries</dt>
        <dd>
          {events.length.toLocaleString('en')}
          <span className="fact-note"> replayed in {seconds(audit.milliseconds)}</span>
        </dd>
      </div>
      <div>
        <dt>Publisher</dt>
        <dd>
          <ShortId id={history.publisher} what="the publisher's address" />
        </dd>
      </div>
      <div>
        <dt>Guardian</dt>
        <dd>
          {history.guardian === zeroAddress ? (
            'nobody'
          ) : (
            <ShortId id={history.guardian} what="the guardian's address" />
          )}
        </dd>
      </div>
      <div>
        <dt>Veto window</dt>
        <dd>{history.delaySeconds === 0 ? 'none' : describeDuration(history.delaySeconds)}</dd>
      </div>
      <div>
        <dt>Changes of keys and policy</dt>
        <dd>{history.changes.filter(({ kind }) => kind === 'applied').length || 'none'}</dd>
      </div>
    </dl>
  );
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
