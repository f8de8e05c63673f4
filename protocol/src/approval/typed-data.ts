import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type Address, abiWord, type Bytes32, fromHex, keccak256 } from '../bytes.ts';
import type { Field } from '../eip712.ts';

export type TypedDataDomain = {
  readonly name: string;
  readonly version?: string;
  readonly chainId?: number;
  readonly verifyingContract?: Address;
  readonly salt?: Bytes32;
};

export type TypedDataTypes = Readonly<Record<string, readonly Field[]>>;
type Message = Readonly<Record<string, unknown>>;

/** What a wallet's signTypedData takes, and what it shows to the person who signs. */
export type TypedData = {
  readonly domain: TypedDataDomain;
  readonly types: TypedDataTypes;
  readonly primaryType: string;
  readonly message: Message;
};

const domainFields: readonly Field[] = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
];

/** The EIP-712 hash that is signed: keccak256(0x1901 ‖ domain separator ‖ struct hash). */
export function typedDataHash({ domain, types, primaryType, message }: TypedData): Bytes32 {
  return keccak256(
    Uint8Array.of(0x19, 0x01),
    fromHex(domainSeparator(domain)),
    fromHex(hashStruct(types, primaryType, message)),
  );
}

export function domainSeparator(domain: TypedDataDomain): Bytes32 {
  const EIP712Domain = domainFields.filter(({ name }) => domain[name as keyof TypedDataDomain] !== undefined);
  return hashStruct({ EIP712Domain }, 'EIP712Domain', domain);
}

/** EIP-712 hashStruct, for the types that approvals are made of: no fixed-size bytes but bytes32, no arrays but of bytes. */
export function hashStruct(types: TypedDataTypes, name: string, message: Message): Bytes32 {
  const words = (types[name] ?? []).map((field) => encodeValue(types, field.type, message[field.name]));
  return keccak256(fromHex(keccak256(utf8ToBytes(encodeType(types, name)))), ...words);
}

/** The type as text, followed by the types that it refers to, in alphabetical order. */
export function encodeType(types: TypedDataTypes, name: string): string {
  const text = (type: string) =>
    `${type}(${(types[type] ?? []).map((field) => `${field.type} ${field.name}`).join(',')})`;
  return [name, ...[...referredTypes(types, name)].sort()].map(text).join('');
}

function referredTypes(types: TypedDataTypes, name: string, found = new Set<string>()): Set<string> {
  for (const { type } of types[name] ?? []) {
    if (types[type] === undefined || found.has(type)) continue;
    found.add(type);
    referredTypes(types, type, found);
  }
  return found;
}

function encodeValue(types: TypedDataTypes, type: string, value: unknown): Uint8Array {
  if (types[type] !== undefined) return fromHex(hashStruct(types, type, value as Message));
  switch (type) {
    case 'string':
      return fromHex(keccak256(utf8ToBytes(String(value))));
    case 'bytes':
      return fromHex(keccak256(fromHex(String(value))));
    case 'bytes[]':
      return fromHex(keccak256(...(value as readonly string[]).map((item) => encodeValue(types, 'bytes', item))));
    case 'bool':
      return abiWord(value === true ? 1 : 0);
    default:
      return abiWord(value as number | Address | Bytes32);
  }
}
