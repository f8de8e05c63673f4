import { type Address, type Bytes32, toHex } from '../bytes.ts';
import type { Sha256Digest } from '../digest.ts';
import { FirmproofError } from '../errors.ts';

const wordBytes = 32;

/**
 * Reads words of 32 bytes, one after the other, strictly: a number that fills more than its type, or text with anything
 * behind its end, was never written by the registry. Every string that comes out is a copy, so that nothing keeps what it
 * was read from in memory.
 * @throws FirmproofError `entry-malformed`
 */
export class Words {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at: number;

  constructor(bytes: Uint8Array, at: number, what: string) {
    this.#bytes = bytes;
    this.#at = at;
    this.#what = what;
  }

  #next(): Uint8Array {
    const word = this.#bytes.subarray(this.#at, this.#at + wordBytes);
    if (word.length < wordBytes) throw this.malformed('it is too short');
    this.#at += wordBytes;
    return word;
  }

  /** An unsigned integer of so many bits. Beyond 2^53, which only a deadline can be, it is rounded. */
  integer(bits: number): number {
    const word = this.#next();
    const first = wordBytes - bits / 8;
    let value = 0;
    for (let index = 0; index < wordBytes; index += 1) {
      const byte = word[index] ?? 0;
      if (index < first && byte !== 0) throw this.malformed(`a number has more than ${bits} bits`);
      value = value * 256 + byte;
    }
    return value;
  }

  boolean(): boolean {
    const value = this.integer(8);
    if (value > 1) throw this.malformed('a truth value is neither 0 nor 1');
    return value === 1;
  }

  bytes32(): Bytes32 {
    return toHex(this.#next()) as Bytes32;
  }

  digest(): Sha256Digest {
    return toHex(this.#next()).slice(2) as Sha256Digest;
  }

  address(): Address {
    const word = this.#next();
    if (word.subarray(0, 12).some((byte) => byte !== 0)) throw this.malformed('an address has more than 20 bytes');
    return toHex(word.subarray(12)) as Address;
  }

  /** Left-aligned ASCII, at most 31 bytes. */
  text(): string {
    const word = this.#next();
    const end = word.indexOf(0);
    if (end <= 0 || word.subarray(end).some((byte) => byte !== 0)) throw this.malformed('a name is no text');
    let text = '';
    for (const byte of word.subarray(0, end)) {
      if (byte < 0x21 || byte > 0x7e) throw this.malformed('a name is no text');
      text += String.fromCharCode(byte);
    }
    return text;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.malformed('it is too long');
  }

  malformed(why: string): FirmproofError {
    return new FirmproofError('entry-malformed', `${this.#what} is malformed: ${why}`);
  }
}
