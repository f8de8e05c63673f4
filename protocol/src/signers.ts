import * as z from 'zod';
import { type Address, checksummed, fromHex, keccak256 } from './bytes.ts';
import { FirmproofError } from './errors.ts';
import { isP256Point } from './keys.ts';

/**
 * The ERC-7913 verifiers that a vendor account knows: fixed by its code, the same on every chain. A test compares them with
 * contracts/generated/vendor-account.ts.
 */
export const p256Verifier = '0xf746cc826d9cc92a77fab3ba7f4155b3b6321f20';
export const webAuthnVerifier = '0xf542b12a3aaa90ddf873796d014c6b551d376830';

export const maximumSigners = 32;

const walletPattern = /^0x[0-9a-f]{40}$/;
const keyPattern = new RegExp(`^(?:${p256Verifier}|${webAuthnVerifier})[0-9a-f]{128}$`);

/**
 * A signer of a vendor account in the bytes of ERC-7913, as lower-case hexadecimal: a wallet's address, or a verifier and a
 * point x ‖ y.
 */
export const signerSchema = z
  .string()
  .refine((text) => isSigner(text), 'not a signer: a wallet, P-256 key or passkey')
  .brand<'Signer'>();
export type Signer = z.infer<typeof signerSchema>;

/** wallet: secp256k1 behind an address. p256: in hardware or a file. passkey: WebAuthn, in a browser. */
export type SignerKind = 'wallet' | 'p256' | 'passkey';

function isSigner(text: string): boolean {
  if (walletPattern.test(text)) return /[1-9a-f]/.test(text.slice(2));
  return keyPattern.test(text) && isP256Point(Uint8Array.of(4, ...fromHex(`0x${text.slice(42)}`)));
}

export function signerKind(signer: Signer): SignerKind {
  if (signer.length === 42) return 'wallet';
  return signer.startsWith(p256Verifier) ? 'p256' : 'passkey';
}

/** The point x ‖ y of a P-256 key or passkey; 64 bytes. */
export function signerPoint(signer: Signer): Uint8Array {
  return fromHex(`0x${signer.slice(42)}`);
}

/** One key is one signer, however it is encoded (A45): approvals are in ascending order of this. */
export function signerKeyHash(signer: Signer): string {
  return keccak256(signerKind(signer) === 'wallet' ? fromHex(signer) : signerPoint(signer));
}

const isSameKey = (one: Signer, other: Signer) => signerKeyHash(one) === signerKeyHash(other);

/** For people to pass on: `wallet:0x…` with the checksum of EIP-55, `p256:<x ‖ y>`, `passkey:<x ‖ y>`. */
export function formatSigner(signer: Signer): string {
  const kind = signerKind(signer);
  return `${kind}:${kind === 'wallet' ? checksummed(signer as string as Address) : signer.slice(42)}`;
}

/** Enough of it to tell signers apart at a glance. */
export function shortSigner(signer: Signer): string {
  const text = formatSigner(signer);
  const start = text.indexOf(':') + 1;
  return `${text.slice(0, start + 8)}…${text.slice(-4)}`;
}

/** Reads `formatSigner`'s text, or the bytes of ERC-7913. @throws FirmproofError `signer-invalid` */
export function parseSigner(text: string): Signer {
  const [kind, rest] = text.includes(':')
    ? [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]
    : ['', text];
  const key = rest.toLowerCase();
  const bytes = { wallet: key, p256: `${p256Verifier}${key}`, passkey: `${webAuthnVerifier}${key}`, '': key }[kind];
  const parsed = signerSchema.safeParse(bytes);
  // A verifier without a point would be a wallet's address.
  if (!parsed.success || (kind !== '' && signerKind(parsed.data) !== kind)) throw noSigner(text, mistakeIn(kind, rest));
  // A typo is noticed only where upper and lower case say something.
  if (
    signerKind(parsed.data) === 'wallet' &&
    isMixedCase(rest) &&
    checksummed(parsed.data as string as Address) !== rest
  )
    throw noSigner(text, 'its upper and lower case are a checksum, which is wrong: something is mistyped');
  return parsed.data;
}

function noSigner(text: string, mistake: string | null): FirmproofError {
  const start = `"${text.slice(0, 60)}${text.length > 60 ? '…' : ''}" is no signer`;
  return new FirmproofError('signer-invalid', mistake === null ? start : `${start}: ${mistake}`);
}

const isMixedCase = (address: string) => /[a-f]/.test(address.slice(2)) && /[A-F]/.test(address.slice(2));

/** What is wrong with the digits after `wallet:`, `p256:` or `passkey:`; null where the text is none of these. */
function mistakeIn(kind: string | undefined, rest: string): string | null {
  if (kind !== 'wallet' && kind !== 'p256' && kind !== 'passkey') return null;
  const digits = kind === 'wallet' ? rest.replace(/^0x/i, '') : rest;
  const wanted = kind === 'wallet' ? 40 : 128;
  if (/[^0-9a-f]/i.test(digits)) return 'not hexadecimal digits alone';
  if (digits.length !== wanted) return `${digits.length} of ${wanted} hexadecimal digits`;
  if (kind !== 'wallet') return 'not a point of the curve';
  return rest === digits ? '0x is missing' : "nobody's address";
}

/** The signer of a P-256 key's uncompressed point, 65 bytes beginning with 4. @throws FirmproofError `signer-invalid` */
export function signerOfPoint(kind: 'p256' | 'passkey', point: Uint8Array): Signer {
  const hex = Array.from(point.subarray(1), (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (point[0] !== 4) throw new FirmproofError('signer-invalid', 'not an uncompressed point');
  return parseSigner(`${kind}:${hex}`);
}

/**
 * What makes a set of signers one that can approve: a threshold within reach, no key twice, and, unless passkeys may approve
 * alone, somebody who is no passkey.
 * @throws FirmproofError `signers-invalid`
 */
export function requireUsableSigners(signers: readonly Signer[], threshold: number, passkeysAlone: boolean): void {
  const refuse = (why: string) => new FirmproofError('signers-invalid', why);
  if (signers.length > maximumSigners) throw refuse(`${signers.length} signers, ${maximumSigners} at most`);
  if (threshold < 1 || threshold > signers.length) throw refuse(`${threshold} of ${signers.length} cannot be reached`);
  const twice = signers.find((signer, index) => signers.slice(0, index).some((before) => isSameKey(before, signer)));
  if (twice) {
    throw new FirmproofError('signers-invalid', `${shortSigner(twice)} is given twice, or is there already`, {
      hint: 'Name each key once; yours belongs to the team without being named.',
    });
  }
  if (!passkeysAlone && signers.every((signer) => signerKind(signer) === 'passkey')) {
    throw refuse('all signers are passkeys, and one approval has to come from outside a browser');
  }
}
