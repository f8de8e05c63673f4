import * as z from 'zod';
import { accountParametersSchema } from '../api.ts';
import { addressSchema, bytes32Schema } from '../bytes.ts';
import { maximumSigners, signerSchema } from '../signers.ts';
import { accountProofSchema } from './account-storage.ts';
import { transactionSchema } from './transaction.ts';

/** An account that has changed its signers more often than that is a mistake, or somebody wants work to be done. */
export const maximumAccountChanges = 1024;

const count = z
  .int()
  .min(0)
  .max(2 ** 48 - 1);
const signers = z.array(signerSchema).max(maximumSigners);
const transaction = transactionSchema.strict().nullable();

/** One change of a vendor account, each of which raises its signer epoch by one. All of it is the word of whoever carries it. */
export const accountChangeSchema = z.strictObject({
  epoch: count.min(2),
  block: z.strictObject({ number: count, hash: bytes32Schema }),
  set: z.strictObject({ signers, threshold: count, passkeysAlone: z.boolean() }),
  /** The recovery set from then on, where it is another. */
  recovery: z.strictObject({ signers, threshold: count }).nullable(),
  transaction,
  /** What announced it, where it is a recovery. */
  announcement: transaction,
});
export type AccountChange = z.infer<typeof accountChangeSchema>;

/** What it takes to know whose keys a vendor account has had, up to one block (V11 of docs/spec/audit.md). */
export const accountRecordSchema = z.strictObject({
  account: addressSchema,
  first: accountParametersSchema.strict(),
  /** What announced the recovery that is pending. */
  announcement: transaction,
  /** How many nodes, a quorum of those asked, show the changes alike: the word of whoever has asked them. 0: too few, so that blocks are not known. */
  shownBy: z.int().min(0).max(10_000),
  proof: accountProofSchema,
});
export type AccountRecord = z.infer<typeof accountRecordSchema> & { readonly changes: readonly AccountChange[] };
