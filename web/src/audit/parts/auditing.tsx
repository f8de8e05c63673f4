import type { ProductId } from '@firmproof/protocol';
import type { ReactNode } from 'react';
import { Failure } from '../../parts/failure.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import type { ProductAudit } from '../data/audit.ts';
import { useAudit } from '../data/use-audit.ts';
import { linkTo } from '../route.ts';
import { plural, shortHex } from './words.ts';

type Props = {
  readonly product: ProductId;
  /** Shown once the history was replayed. */
  readonly children: (audit: ProductAudit, again: () => void) => ReactNode;
};

/** What every page about a product has in common: the history is replayed first, and one sees it happen. */
export function Audited({ product, children }: Props) {
  const auditing = useAudit(product);
  switch (auditing.state) {
    case 'done':
      return children(auditing.audit, auditing.again);
    case 'failed':
      return (
        <>
          <PageTitle>The product cannot be shown</PageTitle>
          <Failure error={auditing.error} onRetry={auditing.again} />
          <p>
            <a href={linkTo.products()}>To all products</a>
          </p>
        </>
      );
    case 'running': {
      const { sequence, total } = auditing.progress;
      return (
        <div className="loading" role="status">
          <p>
            Replaying the history of {shortHex(product)} …
            {sequence > 0 &&
              ` ${sequence.toLocaleString('en')}${total ? ` of ${plural(total, 'entry', 'entries')}` : ''}`}
          </p>
          <progress value={total ? sequence : undefined} max={total ?? 1} aria-label="Entries replayed" />
          <div className="bar" />
          <div className="bar short" />
          <div className="bar" />
        </div>
      );
    }
  }
}
