import type { ProductResource } from '@firmproof/protocol';
import { useMemo, useState } from 'react';
import { Failure } from '../../parts/failure.tsx';
import { Loading } from '../../parts/loading.tsx';
import { PageTitle } from '../../parts/page-title.tsx';
import { useLoaded } from '../../parts/use-loaded.ts';
import { Carrier } from '../data/carrier.ts';
import { OpenProduct } from '../parts/open-product.tsx';
import { ShortId } from '../parts/short-id.tsx';
import { linkTo } from '../route.ts';
import { useSettings } from '../settings/settings.ts';

/** What the server says that it has. What is true of it is on each product's page. */
export function ProductsPage() {
  const { settings } = useSettings();
  const { server } = settings;
  const carrier = useMemo(() => new Carrier(server), [server]);
  const [more, setMore] = useState<readonly ProductResource[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  const [error, setError] = useState<unknown>(null);
  const loaded = useLoaded(() => carrier.products(), server);
  const cursor = next === undefined && loaded.state === 'ready' ? (loaded.value.next ?? null) : next;
  const loadMore = async () => {
    setError(null);
    try {
      const page = await carrier.products(cursor ?? undefined);
      setMore((now) => [...now, ...page.items]);
      setNext(page.next ?? null);
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <>
      <PageTitle>Products</PageTitle>
      <p className="lead">
        As <strong>{new URL(server).host}</strong> lists them. Open one to see what of it is true: its history is
        replayed and verified in this browser.
      </p>
      {loaded.state === 'loading' && <Loading what="the products" />}
      {loaded.state === 'failed' && <Failure error={loaded.error} onRetry={loaded.reload} />}
      {loaded.state === 'ready' && <ProductTable products={[...loaded.value.items, ...more]} />}
      {cursor && (
        <button type="button" className="button" onClick={() => void loadMore()}>
          Show more
        </button>
      )}
      {error !== null && <Failure error={error} />}
      <OpenProduct />
    </>
  );
}

function ProductTable({ products }: { products: readonly ProductResource[] }) {
  const { settings } = useSettings();
  if (products.length === 0) return <p className="empty">This server has no product yet.</p>;
  return (
    <ul className="products">
      {products.map((product) => (
        <li key={product.product} className="card">
          <h2>
            <a href={linkTo.product(product.product)}>{product.name}</a>
          </h2>
          <p className="badges">
            {settings.trustRoots.has(product.product) && <span className="badge passed">trust root set</span>}
            {product.pending && <span className="badge unchecked">change scheduled</span>}
            {product.channels.map(({ channel, version, halted, stopped }) => (
              <span key={channel} className={`badge ${halted || stopped ? 'failed' : ''}`}>
                {channel} {version}
                {halted ? ' halted' : stopped ? ' stopped' : ''}
              </span>
            ))}
            {product.channels.length === 0 && <span className="badge">nothing promoted yet</span>}
          </p>
          <dl className="facts">
            <div>
              <dt>Releases</dt>
              <dd>{product.releases?.toLocaleString('en') ?? '–'}</dd>
            </div>
            <div>
              <dt>Entries</dt>
              <dd>{product.sequence.toLocaleString('en')}</dd>
            </div>
            <div>
              <dt>Product id</dt>
              <dd>
                <ShortId id={product.product} what="the product id" />
              </dd>
            </div>
            <div>
              <dt>Publisher</dt>
              <dd>
                <ShortId id={product.publisher} what="the publisher's address" />
              </dd>
            </div>
          </dl>
        </li>
      ))}
    </ul>
  );
}
