import type { ProductAudit } from '../data/audit.ts';
import type { Voucher } from '../data/sightings.ts';
import type { AuditSettings } from '../settings/settings.ts';
import { plural } from './words.ts';

/** "1 of 1 RPC node" "vouches": who is believed, and what comes of it. */
export type Standing = { readonly who: string; readonly does: string };

/** Before anybody was asked: whom the visitor has chosen. */
export function standingOfSettings({ trustRoots, rpcUrls, rpcQuorum }: AuditSettings): Standing {
  const parts = [
    trustRoots.size > 0 && plural(trustRoots.size, 'trust root'),
    rpcUrls.length > 0 && `${rpcQuorum} of ${plural(rpcUrls.length, 'RPC node')}`,
  ].filter((part) => part !== false);
  if (parts.length === 0) return { who: 'nobody', does: 'vouches' };
  return { who: parts.join(' + '), does: 'to vouch' };
}

/** Once they were asked about a product: who of them does vouch, or does not even answer. */
export function standingOf({ verdict, sightings, settings }: ProductAudit): Standing {
  const { vouchers, tone } = verdict;
  if (vouchers.length > 0) {
    const [only] = vouchers;
    const one = vouchers.length === 1 && only?.of === 1;
    return { who: vouchers.map(countOf).join(' + '), does: one ? 'vouches' : 'vouch' };
  }
  const { answeringNodes } = sightings;
  const of = settings.rpcUrls.length;
  if (tone !== 'bad' && answeringNodes !== null && answeringNodes < settings.rpcQuorum)
    return { who: `${answeringNodes} of ${plural(of, 'RPC node')}`, does: of === 1 ? 'answers' : 'answer' };
  return { who: 'nobody', does: 'vouches' };
}

const countOf = ({ kind, names, of }: Voucher) =>
  `${names.length} of ${kind === 'witnesses' ? plural(of, 'witness', 'witnesses') : plural(of, 'RPC node')}`;
