import { type Address, toHex } from '../bytes.ts';

const wordBytes = 32;

/** Bytes are no ABI encoding of what was asked for. */
export class NoEncoding extends Error {}

/**
 * Reads what abi.encode has written, at offsets from `start` of the bytes; values that do not fit in a word are behind an offset.
 * Never reads outside: throws NoEncoding.
 */
export class AbiReader {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The word number `index`, 32 bytes. */
  word(index: number): Uint8Array {
    const word = this.#bytes.subarray(index * wordBytes, (index + 1) * wordBytes);
    if (word.length < wordBytes) throw new NoEncoding('too short');
    return word;
  }

  unsigned(index: number): bigint {
    return BigInt(toHex(this.word(index)));
  }

  address(index: number): Address {
    const word = this.word(index);
    if (word.subarray(0, 12).some((byte) => byte !== 0)) throw new NoEncoding('no address');
    return toHex(word.subarray(12)) as Address;
  }

  #offset(index: number): number {
    const value = this.unsigned(index);
    if (value > BigInt(this.#bytes.length)) throw new NoEncoding('an offset leads outside');
    return Number(value);
  }

  /** The `bytes` or `string` behind the offset in word number `index`. */
  bytes(index: number): Uint8Array {
    const tail = new AbiReader(this.#bytes.subarray(this.#offset(index)));
    const length = tail.#offset(0);
    const value = tail.#bytes.subarray(wordBytes, wordBytes + length);
    if (value.length < length) throw new NoEncoding('too short');
    return value;
  }

  text(index: number): string {
    return new TextDecoder().decode(this.bytes(index));
  }

  /** The `bytes[]` behind the offset in word number `index`. */
  bytesArray(index: number, maximumItems: number): readonly Uint8Array[] {
    const tail = this.#bytes.subarray(this.#offset(index));
    const length = new AbiReader(tail).#offset(0);
    if (length > maximumItems) throw new NoEncoding('too many items');
    const items = new AbiReader(tail.subarray(wordBytes));
    return Array.from({ length }, (_, item) => items.bytes(item));
  }
}
