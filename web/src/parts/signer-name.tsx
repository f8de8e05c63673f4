import { formatSigner, type Signer, shortSigner, signerKind } from '@firmproof/protocol';
import { keptPasskeys } from '../passkey/kept.ts';

const kinds = { wallet: 'Wallet', p256: 'P-256 key', passkey: 'Passkey' } as const;

/**
 * A signer at a glance: its kind, its key, and whether it is one of this browser's. Enough of the key tells signers apart; who
 * decides about one compares the whole of it, since a key that only looks alike can be searched for.
 */
export function SignerName({ signer, whole = false }: { signer: Signer; whole?: boolean }) {
  const own = keptPasskeys().find((kept) => kept.signer === signer);
  const text = whole ? formatSigner(signer) : shortSigner(signer);
  return (
    <span className="signer">
      <span className="signer-kind">
        {kinds[signerKind(signer)]}
        {own && <span className="badge">{own.label === 'Passkey' ? 'yours' : `yours: ${own.label}`}</span>}
      </span>
      <code>{text.slice(text.indexOf(':') + 1)}</code>
    </span>
  );
}
