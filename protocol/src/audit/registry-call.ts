import { utf8ToBytes } from '@noble/hashes/utils.js';
import { fromHex, keccak256, toHex } from '../bytes.ts';
import { type ActionName, type Field, typedDataTypes } from '../eip712.ts';
import { AbiReader, NoEncoding } from './abi-reader.ts';

/** The registry's functions: the fields of the signed type in their order, then what is behind them. */
const functions = {
  register: { action: 'Register', more: ['bytes approval'] },
  publish: { action: 'Publish', more: ['bytes approval'] },
  promote: { action: 'Promote', more: ['bytes approval'] },
  revoke: { action: 'Revoke', more: ['address approver', 'bytes approval'] },
  halt: { action: 'Halt', more: ['address approver', 'bytes approval'] },
  configure: { action: 'Configure', more: ['bytes approval'] },
  applyConfiguration: { action: 'Configure', more: ['uint64 acceptDeadline', 'bytes approval'] },
  veto: { action: 'Veto', more: ['bytes approval'] },
} as const satisfies Record<string, { readonly action: ActionName; readonly more: readonly string[] }>;

export type RegistryFunction = keyof typeof functions;

/** Values by parameter: text, or hexadecimal, or integers as they are: a deadline may have 64 bits. */
export type CallValues = Readonly<Record<string, string | bigint>>;

export type RegistryCall = {
  readonly name: RegistryFunction;
  readonly action: ActionName;
  readonly values: CallValues;
  /** What the approver's account was asked to take as its signature. */
  readonly approval: Uint8Array;
};

function parametersOf({ action, more }: (typeof functions)[RegistryFunction]): readonly Field[] {
  const behind = more.map((text) => ({ type: text.split(' ')[0] ?? '', name: text.split(' ')[1] ?? '' }));
  return [...typedDataTypes[action], ...behind];
}

const selectors: ReadonlyMap<string, RegistryFunction> = new Map(
  Object.entries(functions).map(([name, parts]) => {
    const types = parametersOf(parts).map(({ type }) => type);
    return [keccak256(utf8ToBytes(`${name}(${types.join(',')})`)).slice(0, 10), name as RegistryFunction];
  }),
);

/** The call that a transaction's input is; null for what is no call of a function of the registry. */
export function readRegistryCall(input: string): RegistryCall | null {
  const name = selectors.get(input.slice(0, 10));
  if (name === undefined) return null;
  const reader = new AbiReader(fromHex(`0x${input.slice(10)}`));
  try {
    const parameters = parametersOf(functions[name]);
    const values = Object.fromEntries(
      parameters.map((parameter, index) => [parameter.name, readValue(reader, parameter.type, index)]),
    );
    return { name, action: functions[name].action, values, approval: reader.bytes(parameters.length - 1) };
  } catch (error) {
    if (error instanceof NoEncoding) return null;
    throw error;
  }
}

function readValue(reader: AbiReader, type: string, index: number): string | bigint {
  switch (type) {
    case 'address':
      return reader.address(index);
    case 'string':
      return reader.text(index);
    case 'bytes':
      return toHex(reader.bytes(index));
    case 'bytes32':
      return toHex(reader.word(index));
    default:
      return reader.unsigned(index);
  }
}
