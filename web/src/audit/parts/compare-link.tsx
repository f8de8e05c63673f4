import type { Version } from '@firmproof/protocol';
import type { ProductAudit } from '../data/audit.ts';
import { linkTo } from '../route.ts';

/** To what differs from the release that was published before this one; nothing for the first. */
export function CompareLink({ audit, version }: { audit: ProductAudit; version: Version }) {
  const versions = [...audit.history.releases.keys()];
  const before = versions[versions.indexOf(version) - 1];
  if (before === undefined) return null;
  return (
    <a className="compare-link" href={linkTo.compare(audit.product, [before, version])}>
      compare<span className="visually-hidden"> {version}</span> with {before}
    </a>
  );
}
