import { useMemo } from 'react';
import { AccountPage } from './pages/account-page.tsx';
import { EnrolPage } from './pages/enrol-page.tsx';
import { HomePage } from './pages/home-page.tsx';
import { ProposalPage } from './pages/proposal-page.tsx';
import { Failure } from './parts/failure.tsx';
import { Loading } from './parts/loading.tsx';
import { Notice } from './parts/notice.tsx';
import { PageTitle } from './parts/page-title.tsx';
import { useHash } from './parts/use-hash.ts';
import { useLoaded } from './parts/use-loaded.ts';
import { passkeyObstacle } from './passkey/webauthn.ts';
import { type Route, routeOf } from './route.ts';
import { Api } from './server/api.ts';
import { loadSettings, type Settings } from './settings.ts';

export function App() {
  const settings = useLoaded(loadSettings, 'settings');
  return (
    <>
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <header className="top">
        <a className="brand" href="#/">
          <img src="./icon.svg" alt="" width="26" height="26" />
          <span>
            Firmproof <span className="quiet">approvals</span>
          </span>
        </a>
        {settings.state === 'ready' && <span className="server">{new URL(settings.value.server).host}</span>}
      </header>
      <main id="main" tabIndex={-1}>
        {isFramed() ? (
          <Notice tone="bad" title="These pages do not work inside another page.">
            Open them in a tab of their own: another page around them could show you something else.
          </Notice>
        ) : (
          <Content settings={settings} />
        )}
      </main>
      <footer className="bottom">
        <p>
          Computed and signed in this browser. The server only carries; the contract decides. What is marked “said by
          the server” was not proved here.
        </p>
      </footer>
    </>
  );
}

const isFramed = () => window.top !== window.self;

function Content({ settings }: { settings: ReturnType<typeof useLoaded<Settings>> }) {
  const hash = useHash();
  const route = useMemo(() => routeOf(hash), [hash]);
  if (settings.state === 'loading') return <Loading what="the settings of these pages" />;
  if (settings.state === 'failed') return <Failure error={settings.error} onRetry={settings.reload} />;
  return (
    <>
      <Obstacle />
      <Page key={hash} route={route} settings={settings.value} />
    </>
  );
}

function Obstacle() {
  const obstacle = passkeyObstacle();
  if (obstacle === null) return null;
  return (
    <Notice tone="warn" title="Passkeys cannot be used here.">
      {obstacle.message}{' '}
      {obstacle.link && (
        <>
          Open <a href={obstacle.link}>{obstacle.link.replace(/#.*$/, '')}</a> instead.
        </>
      )}
    </Notice>
  );
}

function Page({ route, settings }: { route: Route; settings: Settings }) {
  const api = useMemo(() => new Api(settings.server), [settings]);
  switch (route.page) {
    case 'home':
      return <HomePage />;
    case 'enrol':
      return <EnrolPage />;
    case 'proposal':
      return <ProposalPage api={api} settings={settings} id={route.id} />;
    case 'account':
      return <AccountPage api={api} settings={settings} address={route.address} />;
    case 'unknown':
      return (
        <>
          <PageTitle>This link leads nowhere</PageTitle>
          <p>
            It may have been cut on the way to you: ask for it again. It ends with <code>#/proposal/0x…</code> and 64
            digits. <a href="#/">To the start</a>
          </p>
        </>
      );
  }
}
