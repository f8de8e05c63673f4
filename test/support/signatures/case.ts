import { createHash } from 'node:crypto';
import { abiWord, type Bytes32, p256Verifier, type Signer, toHex, webAuthnVerifier } from '@firmproof/protocol';
import { p256 } from '@noble/curves/nist.js';

/** A signature over a hash, and whether a vendor account counts it as this signer's. */
export type SignatureCase = {
  readonly name: string;
  /** Of a vendor account or none: also what no account would take as a signer. */
  readonly signer: string;
  readonly hash: Bytes32;
  readonly signature: string;
  readonly valid: boolean;
};

/** Cases are the same each time, so the keys are too. */
export const secretOf = (name: string) => createHash('sha256').update(`firmproof test key: ${name}`).digest();
export const hashOf = (text: string) => toHex(createHash('sha256').update(text).digest()) as Bytes32;

export const p256Order = p256.Point.Fn.ORDER;
export const p256Field = p256.Point.Fp.ORDER;
export const largestWord = 2n ** 256n - 1n;

export const word = (value: bigint) => toHex(abiWord(value)) as Bytes32;
export const joined = (...parts: readonly string[]) => `0x${parts.map((part) => part.slice(2)).join('')}`;

export type Point = { readonly x: bigint; readonly y: bigint };
export const pointOf = (secret: Uint8Array): Point => p256.Point.BASE.multiply(BigInt(toHex(secret))).toAffine();
export const p256SignerOf = ({ x, y }: Point) => joined(p256Verifier, word(x), word(y)) as Signer;
export const passkeySignerOf = ({ x, y }: Point) => joined(webAuthnVerifier, word(x), word(y)) as Signer;

export const signP256 = (hash: Uint8Array, secret: Uint8Array) =>
  toHex(p256.sign(hash, secret, { prehash: false, lowS: true, format: 'compact' }));

export const rOf = (signature: string) => BigInt(signature.slice(0, 66));
export const sOf = (signature: string) => BigInt(`0x${signature.slice(66, 130)}`);
/** The other s that the curve's equation holds for. */
export const flipped = (signature: string, order = p256Order) =>
  joined(signature.slice(0, 66), word(order - sOf(signature)), `0x${signature.slice(130)}`);
