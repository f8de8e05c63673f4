import type { ProductId, Version } from '@firmproof/protocol';
import { Failure } from '../../parts/failure.tsx';
import { Loading } from '../../parts/loading.tsx';
import { Notice } from '../../parts/notice.tsx';
import { useLoaded } from '../../parts/use-loaded.ts';
import type { ProductAudit } from '../data/audit.ts';
import { Audited } from '../parts/auditing.tsx';
import { ProductHeader } from '../parts/product-header.tsx';
import { TrustRootOffer } from '../parts/trust-root-offer.tsx';
import { VerdictBanner } from '../parts/verdict-banner.tsx';
import { ChooseReleases } from './choose-releases.tsx';
import { ComparisonSections } from './comparison-sections.tsx';
import { ComparisonVerdict } from './comparison-verdict.tsx';
import { type Comparison, loadComparison } from './load-comparison.ts';

type Props = { readonly product: ProductId; readonly from: Version | null; readonly to: Version | null };

/** How a release differs from another one, from what was signed about both. */
export function ComparePage({ product, from, to }: Props) {
  return <Audited product={product}>{(audit) => <Chosen audit={audit} from={from} to={to} />}</Audited>;
}

/** Without a choice, the newest release and the one before it. */
function Chosen({ audit, from, to }: Omit<Props, 'product'> & { audit: ProductAudit }) {
  const versions = [...audit.history.releases.keys()];
  const [before, now] = [from ?? versions.at(-2), to ?? versions.at(-1)];
  return (
    <>
      <ProductHeader audit={audit} page="compare" />
      {audit.verdict.tone === 'bad' && <VerdictBanner audit={audit} />}
      {before === undefined || now === undefined ? (
        <p className="empty">There are no two releases to compare yet.</p>
      ) : (
        <>
          <ChooseReleases audit={audit} from={before} to={now} />
          <Compared audit={audit} from={before} to={now} />
        </>
      )}
    </>
  );
}

type ComparedProps = { readonly audit: ProductAudit; readonly from: Version; readonly to: Version };

function Compared({ audit, from, to }: ComparedProps) {
  const loaded = useLoaded(() => loadComparison(audit, from, to), `${from} ${to} ${audit.milliseconds}`);
  switch (loaded.state) {
    case 'loading':
      return <Loading what="both releases" />;
    case 'failed':
      return <Failure error={loaded.error} onRetry={loaded.reload} />;
    case 'ready':
      return <Both audit={audit} comparison={loaded.value} from={from} to={to} />;
  }
}

function Both({ audit, comparison, from, to }: ComparedProps & { comparison: Comparison }) {
  const { from: before, to: now } = comparison;
  if (before === null || now === null)
    return (
      <Notice tone="warn" title={`There is no release ${before === null ? from : to}`}>
        The history of {audit.history.name} has no such release: choose another one.
      </Notice>
    );
  return (
    <>
      <ComparisonVerdict before={before} now={now}>
        <TrustRootOffer audit={audit} />
      </ComparisonVerdict>
      <ComparisonSections key={`${from} ${to}`} audit={audit} before={before} now={now} />
    </>
  );
}
