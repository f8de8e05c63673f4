import type { TrustRoot } from '@firmproof/protocol';
import { useState } from 'react';
import type { ProductAudit } from '../data/audit.ts';
import { linkTo } from '../route.ts';
import { useSettings } from '../settings/settings.ts';
import { TrustRootChoice } from './trust-root-choice.tsx';
import { shortHex } from './words.ts';

/** Where nobody vouches: the quickest way to somebody who does. */
export function TrustRootOffer({ audit }: { audit: ProductAudit }) {
  const { own, change } = useSettings();
  const [other, setOther] = useState<TrustRoot | null>(null);
  if (audit.verdict.tone !== 'warn' || audit.trustRoot) return null;
  const use = (root: TrustRoot) => {
    setOther(root.product === audit.product ? null : root);
    change({ trustRoots: [...own.trustRoots.filter(({ product }) => product !== root.product), root] });
  };
  return (
    <>
      <TrustRootChoice onChoose={use} />
      {other && (
        <p className="mistake" role="status">
          That is the trust root of another product: <a href={linkTo.product(other.product)}>{other.name}</a>
          {`, ${shortHex(other.product)}. This one is ${shortHex(audit.product)}.`}
        </p>
      )}
      <p className="quiet">
        {audit.settings.rpcUrls.length > 0 ? (
          <>
            Or <a href={linkTo.settings()}>change your RPC nodes</a>
            {audit.verdict.vouchedUpTo === 0 && ': those that are set do not vouch'}.
          </>
        ) : (
          <>
            Or <a href={linkTo.settings()}>set RPC nodes</a> that you believe.
          </>
        )}
      </p>
    </>
  );
}
