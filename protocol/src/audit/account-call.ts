import { utf8ToBytes } from '@noble/hashes/utils.js';
import { accountTypes } from '../approval/account-actions.ts';
import { type AccountAtEpoch, accountDomain } from '../approval/approval.ts';
import { hashStruct, typedDataHash } from '../approval/typed-data.ts';
import { type Bytes32, fromHex, keccak256, toHex } from '../bytes.ts';
import { maximumSigners, type Signer, signerSchema } from '../signers.ts';
import { AbiReader, NoEncoding } from './abi-reader.ts';
import { readApprovals, type WrappedApproval } from './wrapped-approval.ts';

/** What changes an account's signers: the fields of the signed type in their order, then approvals of whom. */
const functions = {
  setSigners: { action: 'SetSigners', sides: ['approval', 'proof'] },
  setRecovery: { action: 'SetRecovery', sides: ['approval'] },
  scheduleRecovery: { action: 'Recover', sides: ['approval'] },
  recover: { action: 'Recover', sides: ['proof'] },
} as const;
type FunctionName = keyof typeof functions;

export type AccountCall = {
  readonly name: FunctionName;
  readonly signers: readonly Signer[];
  readonly threshold: number;
  /** Of a recovery set, which may always be passkeys: true. */
  readonly passkeysAlone: boolean;
  readonly epoch: number;
  /** Of those who decide, and of the new signers; nobody where there are none, or what is there is no such thing. */
  readonly approval: WrappedApproval;
  readonly proof: WrappedApproval;
  /** What is signed, where the account is at a signer epoch. */
  readonly digestAt: (chainId: number, at: AccountAtEpoch) => Bytes32;
  /** By which a recovery is known until it is completed. */
  readonly structHash: Bytes32;
};

const selectors: ReadonlyMap<string, FunctionName> = new Map(
  Object.entries(functions).map(([name, { action, sides }]) => {
    const types = [...accountTypes[action].map(({ type }) => type), ...sides.map(() => 'bytes')];
    return [keccak256(utf8ToBytes(`${name}(${types.join(',')})`)).slice(0, 10), name as FunctionName];
  }),
);

/** The change of an account's signers that a transaction's input calls for; null for anything else. */
export function readAccountCall(input: string): AccountCall | null {
  const name = selectors.get(input.slice(0, 10));
  if (name === undefined) return null;
  const { action, sides } = functions[name];
  const reader = new AbiReader(fromHex(`0x${input.slice(10)}`));
  const fields = accountTypes[action];
  try {
    const message = Object.fromEntries(
      fields.map(({ name: field, type }, index) => [field, read(reader, type, index)]),
    );
    const side = (wanted: 'approval' | 'proof') => {
      const index = (sides as readonly string[]).indexOf(wanted);
      return index < 0 ? [] : (readApprovals(reader.bytes(fields.length + index)) ?? []);
    };
    const types = { [action]: fields };
    return {
      name,
      signers: message['signers'] as readonly Signer[],
      threshold: Number(message['threshold']),
      passkeysAlone: message['passkeysAlone'] === undefined || message['passkeysAlone'] === true,
      epoch: Number(message['epoch']),
      approval: side('approval'),
      proof: side('proof'),
      digestAt: (chainId, at) =>
        typedDataHash({ domain: accountDomain(chainId, at), types, primaryType: action, message }),
      structHash: hashStruct(types, action, message),
    };
  } catch (error) {
    if (error instanceof NoEncoding) return null;
    throw error;
  }
}

function read(reader: AbiReader, type: string, index: number): unknown {
  if (type === 'bool') return reader.unsigned(index) !== 0n;
  if (type !== 'bytes[]') return reader.unsigned(index);
  return reader.bytesArray(index, maximumSigners).map((bytes) => {
    const parsed = signerSchema.safeParse(toHex(bytes));
    if (!parsed.success) throw new NoEncoding('no signer');
    return parsed.data;
  });
}
