import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type Address, abiWord, type Bytes32, fromHex, toHex } from '../bytes.ts';
import {
  type ActionMessage,
  type ActionName,
  anchorDomain,
  isAnchorAction,
  registryDomain,
  typedDataTypes,
} from '../eip712.ts';
import { type Signer, signerKeyHash } from '../signers.ts';
import { type AccountActionMessage, type AccountActionName, accountTypes, field } from './account-actions.ts';
import { domainSeparator, encodeType, hashStruct, type TypedData, type TypedDataDomain } from './typed-data.ts';

/** A vendor account at one signer epoch: what an approval is bound to, besides what it approves. */
export type AccountAtEpoch = { readonly account: Address; readonly epoch: number };
export type RegistryAddress = { readonly chainId: number; readonly registry: Address };

const saltOf = (epoch: number) => toHex(abiWord(epoch)) as Bytes32;

export function accountDomain(chainId: number, { account, epoch }: AccountAtEpoch) {
  const salt = saltOf(epoch);
  return { name: 'Firmproof Vendor Account', version: '1', chainId, verifyingContract: account, salt } as const;
}

/** What one who is publisher or guardian alone signs: an EOA, or a Safe through its own way. */
export function actionTypedData<Name extends ActionName>(
  { chainId, registry }: RegistryAddress,
  action: Name,
  message: ActionMessage<Name>,
): TypedData {
  return {
    domain: isAnchorAction(action) ? anchorDomain(chainId) : registryDomain(chainId, registry),
    types: { [action]: typedDataTypes[action] },
    primaryType: action,
    message,
  };
}

const typedDataSign = 'TypedDataSign';

/**
 * What each signer of a vendor account signs: the action, readable in any wallet, nested with the account's domain by
 * ERC-7739.
 */
export function nestedTypedData(plain: TypedData, chainId: number, at: AccountAtEpoch): TypedData {
  const { name, version, verifyingContract, salt } = accountDomain(chainId, at);
  const nesting = [
    field(plain.primaryType, 'contents'),
    field('string', 'name'),
    field('string', 'version'),
    field('uint256', 'chainId'),
    field('address', 'verifyingContract'),
    field('bytes32', 'salt'),
  ];
  return {
    domain: plain.domain,
    types: { [typedDataSign]: nesting, ...plain.types },
    primaryType: typedDataSign,
    message: { contents: plain.message, name, version, chainId, verifyingContract, salt },
  };
}

/** What signers of a vendor account sign to change the account itself. */
export function accountTypedData<Name extends AccountActionName>(
  chainId: number,
  at: AccountAtEpoch,
  action: Name,
  message: AccountActionMessage<Name>,
): TypedData {
  return {
    domain: accountDomain(chainId, at),
    types: { [action]: accountTypes[action] },
    primaryType: action,
    message,
  };
}

/** One signer's part of an approval. The signature's form follows from the kind of signer; lower-case hexadecimal. */
export type SignerApproval = { readonly signer: Signer; readonly signature: `0x${string}` };

/** abi.encode(bytes[] signers, bytes[] signatures), in the order that a vendor account wants. */
export function encodeApprovals(approvals: readonly SignerApproval[]): Uint8Array {
  const ordered = [...approvals].sort((a, b) => (signerKeyHash(a.signer) < signerKeyHash(b.signer) ? -1 : 1));
  return abiTuple([
    abiArray(ordered.map(({ signer }) => abiBytes(fromHex(signer)))),
    abiArray(ordered.map(({ signature }) => abiBytes(fromHex(signature)))),
  ]);
}

/** The signature that a vendor account takes through ERC-1271 for `plain`. */
export function wrapApprovals(approvals: readonly SignerApproval[], plain: TypedData): `0x${string}` {
  const description = utf8ToBytes(encodeType(plain.types, plain.primaryType));
  return toHex(
    Uint8Array.of(
      ...encodeApprovals(approvals),
      ...fromHex(domainSeparator(plain.domain as TypedDataDomain)),
      ...fromHex(hashStruct(plain.types, plain.primaryType, plain.message)),
      ...description,
      ...abiWord(description.length).subarray(30),
    ),
  );
}

// --- The little of the ABI that approvals need: values whose length the decoder does not know, behind offsets.

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** abi.encode of one `bytes` or `string`: length, then the bytes, padded to words. */
export function abiBytes(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / 32) * 32);
  padded.set(bytes);
  return joined([abiWord(bytes.length), padded]);
}

/** Offsets to the tails, then the tails; `heads` are words that stand before the offsets. */
export function abiTuple(tails: readonly Uint8Array[], heads: readonly Uint8Array[] = []): Uint8Array {
  let offset = (heads.length + tails.length) * 32;
  const offsets = tails.map((tail) => {
    const word = abiWord(offset);
    offset += tail.length;
    return word;
  });
  return joined([...heads, ...offsets, ...tails]);
}

/** abi.encode of a `bytes[]`. */
export function abiArray(items: readonly Uint8Array[]): Uint8Array {
  return joined([abiWord(items.length), abiTuple(items)]);
}
