import * as z from 'zod';
import {
  type Address,
  abiWord,
  type Bytes32,
  bytes32Schema,
  fromHex,
  keccak256,
  toHex,
  zeroBytes32,
} from '../bytes.ts';
import { FirmproofError } from '../errors.ts';
import { maximumProofNodes, merkleProofSchema } from '../evidence.ts';
import { proveAccount, proveStorage } from '../merkle-proof.ts';
import { maximumSigners, type Signer, signerSchema } from '../signers.ts';
import type { BlockStatement } from '../witness.ts';
import { vendorAccountCodeHash } from './account-code.ts';
import type { SignerSet } from './account-events.ts';
import { maximumProductProofBytes } from './product-proof.ts';

/** Six words, and for each of twice 32 signers one and up to three more. */
const maximumSlots = 6 + 2 * maximumSigners * 4;

/** What a vendor account's storage holds, under a block that is named beside it (V11 of docs/spec/audit.md). */
export const accountProofSchema = z.strictObject({
  accountProof: merkleProofSchema,
  storage: z.array(z.strictObject({ slot: bytes32Schema, proof: merkleProofSchema })).max(maximumSlots),
});
export type AccountProof = z.infer<typeof accountProofSchema>;

/** Who may announce other signers. Threshold 0 and no signers where nobody may. */
type RecoverySet = { readonly epoch: number; readonly signers: readonly Signer[]; readonly threshold: number };

/** A vendor account at one block, as its storage has it. */
export type ProvenAccount = {
  readonly current: SignerSet;
  readonly recovery: RecoverySet;
  /** An announced recovery: struct hash of its `Recover`, and when it may be completed, in seconds since 1970. */
  readonly pending: { readonly hash: Bytes32; readonly from: number } | null;
};

const slotOf = (index: number) => toHex(abiWord(index)) as Bytes32;
const after = (slot: Bytes32, words: number) => toHex(abiWord(BigInt(slot) + BigInt(words))) as Bytes32;

/** contracts/src/VendorAccount.sol: two sets of three words each, then what is announced. */
const slots = {
  numbers: slotOf(0),
  signers: slotOf(1),
  recoveryNumbers: slotOf(3),
  recoverySigners: slotOf(4),
  pending: slotOf(6),
  pendingFrom: slotOf(7),
} as const;

/** What to ask a node for first. */
export const accountSlots: readonly Bytes32[] = Object.values(slots);

/** The slots of a list of so many signers: of each its head, and the three words where a key lies. */
function listSlots(
  slot: Bytes32,
  count: number,
): readonly { readonly head: Bytes32; readonly key: readonly Bytes32[] }[] {
  const start = keccak256(fromHex(slot));
  return Array.from({ length: count }, (_, index) => {
    const head = after(start, index);
    const first = keccak256(fromHex(head));
    return { head, key: [first, after(first, 1), after(first, 2)] };
  });
}

/** What to ask a node for next, once the lengths of both lists are known: words by slot, as that node says. */
export function signerSlots(wordAt: (slot: Bytes32) => string): readonly Bytes32[] {
  return [slots.signers, slots.recoverySigners].flatMap((slot) => {
    const count = Math.min(Number(wordAt(slot)), maximumSigners);
    return listSlots(slot, count).flatMap(({ head, key }) => [head, ...key]);
  });
}

/**
 * Checks what a node, or a file, says that an account's storage holds. null for an account of other code: one key, a Safe, nobody.
 * @throws FirmproofError `account-proof-invalid`, `storage-proof-invalid`, `proof-too-large`
 */
export async function proveAccountState(
  { accountProof, storage }: AccountProof,
  account: Address,
  { stateRoot }: Pick<BlockStatement, 'stateRoot'>,
): Promise<ProvenAccount | null> {
  requireSizes([accountProof, ...storage.map(({ proof }) => proof)]);
  const state = await proveAccount(stateRoot, account, accountProof);
  if (state === null || state.codeHash !== vendorAccountCodeHash) return null;
  const proofs = new Map(storage.map(({ slot, proof }) => [slot, proof]));
  const read = async (slot: Bytes32) => proveStorage(state.storageRoot, slot, proofs.get(slot) ?? []);
  const pending = await read(slots.pending);
  const current = numbersOf(await read(slots.numbers));
  const recovery = numbersOf(await read(slots.recoveryNumbers));
  return {
    current: { ...current, signers: await readSigners(slots.signers, read) },
    recovery: {
      epoch: recovery.epoch,
      threshold: recovery.threshold,
      signers: await readSigners(slots.recoverySigners, read),
    },
    pending: pending === zeroBytes32 ? null : { hash: pending, from: Number(await read(slots.pendingFrom)) },
  };
}

type Read = (slot: Bytes32) => Promise<Bytes32>;

/** epoch, since, threshold, passkeysAlone, from the low end. */
function numbersOf(word: Bytes32) {
  const bits = (offset: number) => Number((BigInt(word) >> BigInt(offset)) & 0xffff_ffff_ffff_ffffn);
  return { epoch: bits(0), threshold: bits(128), passkeysAlone: (bits(192) & 0xff) !== 0 };
}

/** As Solidity stores `bytes`: up to 31 in the head itself beside twice the length, else twice the length and one. */
async function readSigners(slot: Bytes32, read: Read): Promise<Signer[]> {
  const count = Number(await read(slot));
  if (count > maximumSigners) throw malformed();
  const signers: Signer[] = [];
  for (const { head, key } of listSlots(slot, count)) {
    const word = await read(head);
    const length = Number(BigInt(word) & 0xffn) >> 1;
    const isShort = (BigInt(word) & 1n) === 0n;
    const words = isShort ? [word] : await Promise.all(key.map(read));
    const hex = words.map((text) => text.slice(2)).join('');
    const parsed = signerSchema.safeParse(`0x${hex.slice(0, 2 * length)}`);
    if (!parsed.success) throw malformed();
    signers.push(parsed.data);
  }
  return signers;
}

const malformed = () => new FirmproofError('storage-proof-invalid', 'the proven signers of the account are malformed');

/** Bounded before any of them is looked at (A48). */
function requireSizes(proofs: readonly (readonly string[])[]): void {
  const bytes = proofs.flat().reduce((sum, node) => sum + (node.length - 2) / 2, 0);
  if (proofs.some((nodes) => nodes.length > maximumProofNodes) || bytes > maximumProductProofBytes)
    throw new FirmproofError('proof-too-large', `the proofs of the account have ${bytes} bytes`);
}
