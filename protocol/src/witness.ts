import { concatBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { abiWord, bytes32Schema, bytesOfBase64 } from './bytes.ts';
import { parseJson } from './json.ts';
import { publicKeySchema, verifySignature } from './keys.ts';
import type { TrustRoot } from './trust-root.ts';

/** Exactly 32 ASCII bytes, so that the signed message is six words. */
const domainTag = 'firmproof.dev/block-statement/v1';

/** What a witness vouches for: one final block of one chain. */
export const blockStatementSchema = z.object({
  chainId: z.int().min(1),
  number: z.int().min(0),
  hash: bytes32Schema,
  stateRoot: bytes32Schema,
  /** Seconds since 1970, as in the block. */
  timestamp: z.int().min(0),
});
export type BlockStatement = z.infer<typeof blockStatementSchema>;

const signatureSchema = z
  .string()
  .max(100)
  .refine((text) => bytesOfBase64(text)?.length === 64, 'not a base64 Ed25519 signature');

export const cosignatureSchema = z.object({ publicKey: publicKeySchema, signature: signatureSchema });
export type Cosignature = z.infer<typeof cosignatureSchema>;

/** A witness's answer: its cosignature and the block that it is for. */
export const witnessedBlockSchema = z.object({ block: blockStatementSchema, cosignature: cosignatureSchema });
export type WitnessedBlock = z.infer<typeof witnessedBlockSchema>;

/** @throws FirmproofError `cosignature-malformed` */
export function parseWitnessedBlock(text: string): WitnessedBlock {
  return parseJson(text, witnessedBlockSchema, {
    code: 'cosignature-malformed',
    maximumBytes: 4096,
    what: 'the cosignature',
  });
}

/** The 192 bytes that a witness signs with Ed25519: tag, chain id, number, hash, state root, timestamp. */
export function blockStatementBytes(block: BlockStatement): Uint8Array {
  return concatBytes(
    new TextEncoder().encode(domainTag),
    abiWord(block.chainId),
    abiWord(block.number),
    abiWord(block.hash),
    abiWord(block.stateRoot),
    abiWord(block.timestamp),
  );
}

/** The operators of the trust root that vouch for the block. Counted by operator: ten keys of one are one voice. */
export function vouchingOperators(
  block: BlockStatement,
  cosignatures: readonly Cosignature[],
  witnesses: TrustRoot['witnesses'],
): ReadonlySet<string> {
  const message = blockStatementBytes(block);
  const operators = new Set<string>();
  for (const { publicKey, signature } of cosignatures) {
    const member = witnesses.members.find((candidate) => candidate.publicKey === publicKey);
    const bytes = bytesOfBase64(signature);
    if (!member || !bytes || operators.has(member.operator)) continue;
    if (verifySignature(publicKey, message, bytes)) operators.add(member.operator);
  }
  return operators;
}
