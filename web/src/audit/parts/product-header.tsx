import { PageTitle } from '../../parts/page-title.tsx';
import type { ProductAudit } from '../data/audit.ts';
import { linkTo, type Route } from '../route.ts';
import { ShortId } from './short-id.tsx';

const saidBy = {
  'trust-root': 'as your trust root says',
  operator: 'as these pages are set up',
  server: 'as the server says; the product id is the hash of it',
} as const;

/** The name of a product and where it counts; with the pages about it. */
export function ProductHeader({ audit, page }: { audit: ProductAudit; page: Route['page'] }) {
  const { product, history, place } = audit;
  return (
    <>
      <p className="kicker">Product</p>
      <PageTitle>{history.name}</PageTitle>
      <p className="subtitle">
        <span>
          <ShortId id={product} what="the product id" /> on chain {place.chainId}, registry{' '}
          <ShortId id={place.registry} what="the registry's address" />, {saidBy[place.saidBy]}
        </span>
      </p>
      <nav className="tabs" aria-label={`Pages about ${history.name}`}>
        <a href={linkTo.product(product)} aria-current={page === 'product' ? 'page' : undefined}>
          History
        </a>
        <a href={linkTo.compare(product)} aria-current={page === 'compare' ? 'page' : undefined}>
          Compare
        </a>
        <a href={linkTo.fleet(product)} aria-current={page === 'fleet' ? 'page' : undefined}>
          Fleet
        </a>
      </nav>
    </>
  );
}
