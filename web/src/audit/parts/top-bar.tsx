import { useLastAudit } from '../data/use-audit.ts';
import { linkTo, type Route } from '../route.ts';
import { useSettings } from '../settings/settings.ts';
import { type Standing, standingOf, standingOfSettings } from './standing.ts';

/** Where one is, and who is believed here, as far as they answer: always in sight. */
export function TopBar({ route }: { route: Route }) {
  const { page } = route;
  const { settings } = useSettings();
  const audit = useLastAudit('product' in route ? route.product : null);
  const { who, does }: Standing = audit ? standingOf(audit) : standingOfSettings(settings);
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
          {who}
        </a>
        <span className="quiet">{does}</span>
      </p>
    </header>
  );
}
