import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { SignerApproval } from '../approval/approval.ts';
import { domainSeparator, encodeType, hashStruct, type TypedData } from '../approval/typed-data.ts';
import { toHex } from '../bytes.ts';
import { maximumSigners, signerSchema } from '../signers.ts';
import { AbiReader, NoEncoding } from './abi-reader.ts';

/** The signers of a vendor account and their signatures, in the order in which the account was given them. */
export type WrappedApproval = readonly SignerApproval[];

/**
 * Undoes `wrapApprovals`: what a vendor account takes through ERC-1271 for `plain` (ERC-7739: approvals ‖ separator ‖
 * contents hash ‖ description ‖ its length). null for whatever is not exactly that, such as a Safe's signatures.
 */
export function unwrapApproval(approval: Uint8Array, plain: TypedData): WrappedApproval | null {
  const lengthAt = approval.length - 2;
  if (lengthAt < 64) return null;
  const description = ((approval[lengthAt] ?? 0) << 8) | (approval[lengthAt + 1] ?? 0);
  const end = lengthAt - description - 64;
  if (end < 0) return null;
  const type = encodeType(plain.types, plain.primaryType);
  const expected = domainSeparator(plain.domain) + hashStruct(plain.types, plain.primaryType, plain.message).slice(2);
  if (toHex(approval.subarray(end, end + 64)) !== expected) return null;
  const described = toHex(approval.subarray(end + 64, lengthAt));
  // Wallets may also say the name of the type behind it.
  if (![type, type + plain.primaryType].some((text) => toHex(utf8ToBytes(text)) === described)) return null;
  return readApprovals(approval.subarray(0, end));
}

/** abi.encode(bytes[] signers, bytes[] signatures); null for anything else, and for nobody. */
export function readApprovals(bytes: Uint8Array): WrappedApproval | null {
  try {
    const reader = new AbiReader(bytes);
    const signatures = reader.bytesArray(1, maximumSigners);
    const approvals = reader.bytesArray(0, maximumSigners).flatMap((signer, index) => {
      const parsed = signerSchema.safeParse(toHex(signer));
      const signature = signatures[index];
      return parsed.success && signature ? [{ signer: parsed.data, signature: toHex(signature) }] : [];
    });
    return approvals.length === signatures.length && approvals.length > 0 ? approvals : null;
  } catch (error) {
    if (error instanceof NoEncoding) return null;
    throw error;
  }
}
