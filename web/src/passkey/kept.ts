import { signerSchema } from '@firmproof/protocol';
import * as z from 'zod';

/** A passkey that was made or used in this browser. Nothing of it is secret. */
const keptSchema = z.object({
  credentialId: z.string(),
  signer: signerSchema,
  label: z.string(),
  createdAt: z.int(),
});
export type KeptPasskey = z.infer<typeof keptSchema>;

const place = 'firmproof.passkeys';

export function keptPasskeys(): readonly KeptPasskey[] {
  try {
    return z.array(keptSchema).parse(JSON.parse(localStorage.getItem(place) ?? '[]'));
  } catch {
    // Lost or spoilt: a passkey is found again by using it.
    return [];
  }
}

const write = (passkeys: readonly KeptPasskey[]) => localStorage.setItem(place, JSON.stringify(passkeys));

export function keepPasskey(passkey: KeptPasskey): void {
  write([...keptPasskeys().filter(({ signer }) => signer !== passkey.signer), passkey]);
}

/** The list only: the passkey stays in its authenticator. */
export function forgetPasskey({ signer }: KeptPasskey): void {
  write(keptPasskeys().filter((kept) => kept.signer !== signer));
}
