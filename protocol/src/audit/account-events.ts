import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type Address, type Bytes32, bytes32Schema, fromHex, keccak256, toHex } from '../bytes.ts';
import { maximumSigners, type Signer, signerSchema } from '../signers.ts';
import { AbiReader, NoEncoding } from './abi-reader.ts';
import type { RpcLog } from './entry.ts';

/** k of n keys of a vendor account, from one signer epoch on. Every epoch has an event of its own. */
export type SignerSet = {
  readonly epoch: number;
  readonly signers: readonly Signer[];
  readonly threshold: number;
  readonly passkeysAlone: boolean;
};

/** An event of a vendor account (contracts/src/interfaces/IVendorAccount.sol). Nothing chains them: they are the nodes' word. */
export type AccountEvent = {
  readonly block: { readonly number: number; readonly hash: Bytes32 };
  readonly transaction: Bytes32;
} & (
  | ({ readonly kind: 'signers-set' } & SignerSet)
  | {
      readonly kind: 'recovery-set';
      readonly epoch: number;
      /** None, with threshold 0, where there is no recovery. */
      readonly signers: readonly Signer[];
      readonly threshold: number;
    }
  | ({
      readonly kind: 'recovery-scheduled';
      readonly pending: Bytes32;
      /** Seconds since 1970. */
      readonly pendingFrom: number;
      readonly deadline: number;
    } & SignerSet)
  | { readonly kind: 'recovery-cancelled'; readonly pending: Bytes32 }
);

const topicOf = (signature: string) => keccak256(utf8ToBytes(signature));

/** The first topic of each event of a vendor account: what to ask a node for. */
export const accountEventTopics = {
  'signers-set': topicOf('SignersSet(uint64,bytes[],uint64,bool)'),
  'recovery-set': topicOf('RecoverySet(uint64,bytes[],uint64)'),
  'recovery-scheduled': topicOf('RecoveryScheduled(bytes32,uint40,bytes[],uint64,bool,uint64,uint64)'),
  'recovery-cancelled': topicOf('RecoveryCancelled(bytes32)'),
} as const satisfies Record<AccountEvent['kind'], Bytes32>;

/** The event that a log of the account is; null for another emitter or event, a log that was taken back, or a malformed one. */
export function accountEventOfLog(log: RpcLog, account: Address): AccountEvent | null {
  if (log.removed === true || log.address.toLowerCase() !== account || log.blockNumber === null) return null;
  const [id, key] = log.topics.map((topic) => topic.toLowerCase());
  const kind = Object.entries(accountEventTopics).find(([, topic]) => topic === id)?.[0] as
    | AccountEvent['kind']
    | undefined;
  const hash = bytes32Schema.safeParse(log.blockHash?.toLowerCase());
  const transaction = bytes32Schema.safeParse(log.transactionHash?.toLowerCase());
  const indexed = bytes32Schema.safeParse(key);
  const readable = log.data.length <= maximumDataCharacters && /^0x(?:[0-9a-fA-F]{2})*$/.test(log.data);
  const isPlaced = /^0x[0-9a-fA-F]{1,10}$/.test(log.blockNumber);
  if (!(kind && hash.success && transaction.success && indexed.success && readable && isPlaced)) return null;
  const where = { block: { number: Number(log.blockNumber), hash: hash.data }, transaction: transaction.data };
  try {
    return { ...where, ...read(kind, indexed.data, new AbiReader(fromHex(log.data))) };
  } catch (error) {
    if (error instanceof NoEncoding) return null;
    throw error;
  }
}

/** The sets of signers that an account has had, one an epoch, out of its logs: what `approvalOf` judges a quorum by (V11). */
export function signerSetsOf(logs: readonly RpcLog[], account: Address): readonly SignerSet[] {
  const sets = new Map<number, SignerSet>();
  for (const log of logs) {
    const event = accountEventOfLog(log, account);
    if (event?.kind !== 'signers-set' || sets.has(event.epoch)) continue;
    const { epoch, signers, threshold, passkeysAlone } = event;
    sets.set(epoch, { epoch, signers, threshold, passkeysAlone });
  }
  return [...sets.values()].sort((one, other) => one.epoch - other.epoch);
}

/** 32 signers of 84 bytes need some five kilobytes. */
const maximumDataCharacters = 2 + 2 * 16 * 1024;

type Details<Event> = Event extends AccountEvent ? Omit<Event, 'block' | 'transaction'> : never;

function read(kind: AccountEvent['kind'], key: Bytes32, data: AbiReader): Details<AccountEvent> {
  const number = (index: number) => Number(data.unsigned(index));
  const count = (index: number) => countOf(data.unsigned(index));
  const flag = (index: number) => data.unsigned(index) !== 0n;
  switch (kind) {
    case 'signers-set': {
      const rest = { signers: signersAt(data, 0), threshold: count(1), passkeysAlone: flag(2) };
      return { kind, epoch: countOf(BigInt(key)), ...rest };
    }
    case 'recovery-set':
      return { kind, epoch: countOf(BigInt(key)), signers: signersAt(data, 0), threshold: count(1) };
    case 'recovery-scheduled': {
      const set = { signers: signersAt(data, 1), threshold: count(2), passkeysAlone: flag(3), epoch: count(4) };
      return { kind, pending: key, pendingFrom: number(0), ...set, deadline: number(5) };
    }
    case 'recovery-cancelled':
      return { kind, pending: key };
  }
}

/** An epoch or a threshold: no account comes near to what a number here can hold exactly. */
function countOf(value: bigint): number {
  if (value > maximumCount) throw new NoEncoding('no count');
  return Number(value);
}

const maximumCount = 2n ** 48n - 1n;

function signersAt(data: AbiReader, index: number): readonly Signer[] {
  return data.bytesArray(index, maximumSigners).map((bytes) => {
    const parsed = signerSchema.safeParse(toHex(bytes));
    if (!parsed.success) throw new NoEncoding('no signer');
    return parsed.data;
  });
}
