import { linkTo, type Route } from '../route.ts';
import { useSettings } from '../settings/settings.ts';
import { vouchersInWords } from './words.ts';

/** Where one is, and what is believed here: always in sight. */
export function TopBar({ page }: { page: Route['page'] }) {
  const { settings } = useSettings();
  return (
    <header className="top">
      <a className="brand" href={linkTo.products()}>
        <img src="./icon.svg" alt="" width="26" height="26" />
        <span>
          Firmproof <span className="quiet">audit</span>
        </span>
      </a>
      <nav aria-label="Pages">
        <a href={linkTo.products()} aria-current={page === 'products' ? 'page' : undefined}>
          Products
        </a>
        <a href={linkTo.settings()} aria-current={page === 'settings' ? 'page' : undefined}>
          Settings
        </a>
      </nav>
      <p className="in-use">
        <span className="server">{new URL(settings.server).host}</span>
        <span className="quiet">carries</span>
        <a href={linkTo.settings()} className="vouchers">
          {vouchersInWords(settings)}
        </a>
        <span className="quiet">vouches</span>
      </p>
    </header>
  );
}
