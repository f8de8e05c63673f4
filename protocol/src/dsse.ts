import { concatBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { bytesOfBase64 } from './bytes.ts';
import { keyIdOf, type PublicKey, verifySignature } from './keys.ts';

const base64Text = (maximum: number) =>
  z
    .string()
    .max(maximum)
    .refine((text) => bytesOfBase64(text) !== null, 'not base64');

/** A DSSE envelope in its JSON form (github.com/secure-systems-lab/dsse, protocol v1). */
export const envelopeSchema = z.object({
  payload: base64Text(90_000),
  payloadType: z.string().max(100),
  signatures: z
    .array(z.object({ sig: base64Text(300), keyid: z.string().max(100).default('') }))
    .min(1)
    .max(32),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** PAE of DSSE v1: what a signature is made over. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const text = new TextEncoder();
  const type = text.encode(payloadType);
  return concatBytes(text.encode(`DSSEv1 ${type.length} `), type, text.encode(` ${payload.length} `), payload);
}

export function payloadOf(envelope: Envelope): Uint8Array {
  return bytesOfBase64(envelope.payload) ?? new Uint8Array();
}

/** How many *different* keys of the set have signed the envelope; the same key twice counts once (A12). */
export function countSigners(envelope: Envelope, keys: readonly PublicKey[]): number {
  const message = preAuthenticationEncoding(envelope.payloadType, payloadOf(envelope));
  const signers = new Set<PublicKey>();
  for (const { sig, keyid } of envelope.signatures) {
    const key = keys.find((candidate) => keyIdOf(candidate) === keyid);
    const signature = bytesOfBase64(sig);
    if (key && signature && !signers.has(key) && verifySignature(key, message, signature)) signers.add(key);
  }
  return signers.size;
}
