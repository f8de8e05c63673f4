import { useCallback, useMemo, useState } from 'react';
import { Failure } from '../parts/failure.tsx';
import { Loading } from '../parts/loading.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { useHash } from '../parts/use-hash.ts';
import { useLoaded } from '../parts/use-loaded.ts';
import { ComparePage } from './compare/compare-page.tsx';
import { FleetPage } from './fleet/fleet-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { ProductPage } from './pages/product-page.tsx';
import { ProductsPage } from './pages/products-page.tsx';
import { ReleasePage } from './pages/release-page.tsx';
import { SettingsPage } from './pages/settings-page.tsx';
import { TopBar } from './parts/top-bar.tsx';
import { type Route, routeOf } from './route.ts';
import { type Configuration, loadConfiguration } from './settings/configuration.ts';
import { keepOwn, loadOwn, type OwnSettings } from './settings/own.ts';
import { effectiveSettings, SettingsProvider } from './settings/settings.ts';

export function App() {
  const configuration = useLoaded(loadConfiguration, 'configuration');
  switch (configuration.state) {
    case 'loading':
      return (
        <main>
          <Loading what="the settings of these pages" />
        </main>
      );
    case 'failed':
      return (
        <main>
          <PageTitle>These pages are not set up</PageTitle>
          <Failure error={configuration.error} onRetry={configuration.reload} />
        </main>
      );
    case 'ready':
      return <Shell configuration={configuration.value} />;
  }
}

function Shell({ configuration }: { configuration: Configuration }) {
  const [own, setOwn] = useState(loadOwn);
  const change = useCallback(
    (part: Partial<OwnSettings>) =>
      setOwn((now) => {
        const next = { ...now, ...part };
        keepOwn(next);
        return next;
      }),
    [],
  );
  const context = useMemo(
    () => ({ settings: effectiveSettings(configuration, own), own, change }),
    [configuration, own, change],
  );
  const hash = useHash();
  const route = useMemo(() => routeOf(hash), [hash]);
  return (
    <SettingsProvider value={context}>
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <TopBar route={route} />
      <main id="main" tabIndex={-1}>
        <Page route={route} hash={hash} />
      </main>
      <footer className="bottom">
        <p>
          Replayed and verified in this browser. The server only carries; the chain decides. What was not checked here
          says so.
        </p>
      </footer>
    </SettingsProvider>
  );
}

/** Filters are part of the address, but a page stays when they change: its key is what it is about. */
function Page({ route, hash }: { route: Route; hash: string }) {
  switch (route.page) {
    case 'products':
      return <ProductsPage />;
    case 'product':
      return <ProductPage key={route.product} product={route.product} query={route.query} />;
    case 'release':
      return <ReleasePage key={`${route.product}/${route.version}`} product={route.product} version={route.version} />;
    case 'compare':
      return <ComparePage key={route.product} product={route.product} from={route.from} to={route.to} />;
    case 'fleet':
      return <FleetPage key={route.product} product={route.product} />;
    case 'settings':
      return <SettingsPage />;
    case 'unknown':
      return <NotFoundPage key={hash} missing={route.missing} />;
  }
}
