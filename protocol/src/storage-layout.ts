import { type Address, abiWord, asciiOfWord, asciiWord, type Bytes32, keccak256, parseAddress } from './bytes.ts';
import type { Channel, ProductId, Version } from './names.ts';

/** R6 of docs/spec/release.md. The registry's mappings (contracts/src/ReleaseRegistry.sol): products 0, heads 1, releases 2; registrations is 3. */
const productsSlot = 0;
const headsSlot = 1;
const releasesSlot = 2;

/** Solidity's rule for mappings: keccak256(key ‖ slot). */
function mappingSlot(key: Bytes32, slot: number | Bytes32): Bytes32 {
  return keccak256(abiWord(key), abiWord(slot));
}

function after(slot: Bytes32, words: number): Bytes32 {
  return `0x${((BigInt(slot) + BigInt(words)) % 2n ** 256n).toString(16).padStart(64, '0')}` as Bytes32;
}

export type ProductSlots = {
  readonly state: Bytes32;
  readonly configuration: Bytes32;
  readonly history: Bytes32;
  readonly trustRoot: Bytes32;
};
export type HeadSlots = { readonly version: Bytes32; readonly schedule: Bytes32 };
export type ReleaseSlots = { readonly commitment: Bytes32; readonly state: Bytes32 };

export function productSlots(product: ProductId): ProductSlots {
  const base = mappingSlot(product, productsSlot);
  return { state: base, configuration: after(base, 1), history: after(base, 2), trustRoot: after(base, 3) };
}

/** What is scheduled; for auditors. */
export function pendingSlots(product: ProductId): { readonly pending: Bytes32; readonly pendingFrom: Bytes32 } {
  const base = mappingSlot(product, productsSlot);
  return { pending: after(base, 4), pendingFrom: after(base, 5) };
}

export function headSlots(product: ProductId, channel: Channel): HeadSlots {
  const base = mappingSlot(asciiWord(channel), mappingSlot(product, headsSlot));
  return { version: base, schedule: after(base, 1) };
}

export function releaseSlots(product: ProductId, version: Version): ReleaseSlots {
  const base = mappingSlot(asciiWord(version), mappingSlot(product, releasesSlot));
  return { commitment: base, state: after(base, 1) };
}

/** Bits [offset, offset + width) of a word; Solidity packs fields from the low end. */
function field(word: bigint, offset: number, width: number): bigint {
  return (word >> BigInt(offset)) & ((1n << BigInt(width)) - 1n);
}

const integer = (word: bigint, offset: number, width: number) => Number(field(word, offset, width));

export type ProductState = { readonly publisher: Address; readonly sequence: number; readonly topIndex: number };

export function decodeProductState(word: bigint): ProductState {
  return {
    publisher: parseAddress(`0x${field(word, 0, 160).toString(16).padStart(40, '0')}`),
    sequence: integer(word, 160, 48),
    topIndex: integer(word, 208, 32),
  };
}

export type ProductConfiguration = {
  readonly guardian: Address;
  readonly delaySeconds: number;
  readonly epoch: number;
  /** The block of the product's latest event: where an audit starts to walk back. */
  readonly lastBlock: number;
};

/** For auditors; no device needs it. */
export function decodeProductConfiguration(word: bigint): ProductConfiguration {
  return {
    guardian: parseAddress(`0x${field(word, 0, 160).toString(16).padStart(40, '0')}`),
    delaySeconds: integer(word, 160, 24),
    epoch: integer(word, 184, 32),
    lastBlock: integer(word, 216, 40),
  };
}

export type PendingTimes = {
  /** When what is scheduled may be applied; seconds since 1970, 0 while nothing is. */
  readonly pendingFrom: number;
  /** False for a change of the guardian alone. */
  readonly vetoable: boolean;
};

/** For auditors; no device needs it. */
export function decodePendingTimes(word: bigint): PendingTimes {
  return { pendingFrom: integer(word, 0, 40), vetoable: integer(word, 40, 8) !== 0 };
}

export type HeadSchedule = {
  readonly counter: number;
  /** Seconds since 1970. */
  readonly start: number;
  /** Seconds of the ramp. */
  readonly duration: number;
  /** Basis points of the fleet at the start. */
  readonly firstShare: number;
  readonly halted: boolean;
  readonly halts: number;
};

export function decodeHeadSchedule(word: bigint): HeadSchedule {
  return {
    counter: integer(word, 0, 32),
    start: integer(word, 32, 40),
    duration: integer(word, 72, 32),
    firstShare: integer(word, 104, 16),
    halted: integer(word, 120, 8) !== 0,
    halts: integer(word, 128, 32),
  };
}

/** Zero always refuses. */
export const releaseStatuses = ['none', 'active', 'revoked'] as const;
export type ReleaseStatus = (typeof releaseStatuses)[number];

export type ReleaseState = {
  readonly status: ReleaseStatus;
  readonly rollbackIndex: number;
  readonly publishedAt: number;
  readonly installableFrom: number;
  /** The product's sequence at which the release was published. */
  readonly sequence: number;
};

export function decodeReleaseState(word: bigint): ReleaseState {
  return {
    status: releaseStatuses[integer(word, 0, 8)] ?? 'none',
    rollbackIndex: integer(word, 8, 32),
    publishedAt: integer(word, 40, 40),
    installableFrom: integer(word, 80, 40),
    sequence: integer(word, 120, 48),
  };
}

/** The head version in a storage word: null where the channel is empty or the word is no text. */
export function decodeHeadVersion(word: Bytes32): string | null {
  return asciiOfWord(word) || null;
}

/** keccak256(abi.encode(image, attestation)): the release's commitment. */
export function commitmentOf(image: Bytes32, attestation: Bytes32): Bytes32 {
  return keccak256(abiWord(image), abiWord(attestation));
}
