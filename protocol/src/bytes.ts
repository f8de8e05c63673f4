import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { FirmproofError } from './errors.ts';

/** 32 bytes of the EVM's world: 0x and 64 lower-case hexadecimal digits. */
export const bytes32Schema = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .brand<'Bytes32'>();
export type Bytes32 = z.infer<typeof bytes32Schema>;

/** An account: 0x and 40 lower-case hexadecimal digits. */
export const addressSchema = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/)
  .brand<'Address'>();
export type Address = z.infer<typeof addressSchema>;

export const zeroAddress = addressSchema.parse(`0x${'0'.repeat(40)}`);
export const zeroBytes32 = bytes32Schema.parse(`0x${'0'.repeat(64)}`);

/** @throws FirmproofError `bytes32-invalid` */
export function parseBytes32(text: string): Bytes32 {
  const parsed = bytes32Schema.safeParse(text.toLowerCase());
  if (!parsed.success) throw new FirmproofError('bytes32-invalid', 'not a 32-byte value');
  return parsed.data;
}

const shownCharacters = 20;

/** The beginning of what somebody gave, enough to find it again and too little to give a secret away. */
export const shortened = (text: string): string =>
  text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;

/** Accepts any case; the canonical form is lower case. @throws FirmproofError `address-invalid` */
export function parseAddress(text: string): Address {
  const parsed = addressSchema.safeParse(text.toLowerCase());
  if (!parsed.success) throw new FirmproofError('address-invalid', `"${shortened(text)}" is not an address`);
  return parsed.data;
}

export function toHex(bytes: Uint8Array): `0x${string}` {
  return `0x${bytesToHex(bytes)}`;
}

/** The bytes of 0x-prefixed hexadecimal text that a schema has checked already. */
export function fromHex(hex: string): Uint8Array {
  return hexToBytes(hex.slice(2));
}

export function keccak256(...parts: readonly Uint8Array[]): Bytes32 {
  return toHex(keccak_256(concatBytes(...parts))) as Bytes32;
}

/** An address as people pass it on: the case of its letters is the checksum of EIP-55. */
export function checksummed(address: Address): string {
  const hash = keccak256(new TextEncoder().encode(address.slice(2)));
  const letter = (digit: string, index: number) =>
    Number.parseInt(hash.charAt(index + 2), 16) > 7 ? digit.toUpperCase() : digit;
  return `0x${Array.from(address.slice(2), letter).join('')}`;
}

/** One ABI word: an unsigned integer, an address or 32 bytes, as abi.encode lays it out. */
export function abiWord(value: bigint | number | Address | Bytes32): Uint8Array {
  const hex = typeof value === 'string' ? value.slice(2) : value.toString(16);
  return hexToBytes(hex.padStart(64, '0'));
}

/** ≤ 31 bytes of ASCII, left-aligned in a word, as the registry stores names, channels and versions. */
export function asciiWord(text: string): Bytes32 {
  return toHex(new TextEncoder().encode(text)).padEnd(66, '0') as Bytes32;
}

/** The text in a left-aligned word, or null when the word is no such text. */
export function asciiOfWord(word: Bytes32): string | null {
  const bytes = fromHex(word);
  const end = bytes.indexOf(0);
  if (end < 0 || bytes.subarray(end).some((byte) => byte !== 0)) return null;
  if (bytes.subarray(0, end).some((byte) => byte < 0x21 || byte > 0x7e)) return null;
  return String.fromCharCode(...bytes.subarray(0, end));
}

export function base64OfBytes(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Strict standard base64 with padding; null for anything else. */
export function bytesOfBase64(text: string): Uint8Array | null {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
  const binary = atob(text);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
