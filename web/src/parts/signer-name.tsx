import { type Signer, shortSigner, signerKind } from '@firmproof/protocol';
import { keptPasskeys } from '../passkey/kept.ts';

const kinds = { wallet: 'Wallet', p256: 'P-256 key', passkey: 'Passkey' } as const;

/** A signer at a glance: its kind, enough of its key to tell it apart, and whether it is one of this browser's. */
export function SignerName({ signer }: { signer: Signer }) {
  const own = keptPasskeys().find((kept) => kept.signer === signer);
  const text = shortSigner(signer);
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
