import type { ReleaseHistory } from '@firmproof/protocol/audit';
import { useMemo } from 'react';
import type { ProductAudit } from '../data/audit.ts';
import { linkTo } from '../route.ts';
import { Timeline } from './timeline.tsx';

const shownEvents = 20;

/** The entries that name a release, newest first. */
export function ReleaseEvents({ audit, release }: { audit: ProductAudit; release: ReleaseHistory }) {
  const events = useMemo(
    () => audit.events.filter((event) => 'version' in event && event.version === release.version).reverse(),
    [audit, release],
  );
  return (
    <>
      <Timeline audit={audit} events={events.slice(0, shownEvents)} query={{}} />
      {events.length > shownEvents && (
        <p>
          <a href={linkTo.product(audit.product, { search: release.version })}>All {events.length} entries</a>
        </p>
      )}
    </>
  );
}
