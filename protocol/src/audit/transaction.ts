import * as z from 'zod';
import { addressSchema, bytes32Schema } from '../bytes.ts';

/** Call data of the registry has a few kilobytes; with 32 passkeys some thirty. */
export const maximumInputBytes = 128 * 1024;

/** The transaction that an event came from: what carries the approval. Anybody may have sent it, so its sender says nothing. */
export const transactionSchema = z.object({
  hash: bytes32Schema,
  /** null where it made a contract. */
  to: addressSchema.nullable(),
  input: z
    .string()
    .max(2 + 2 * maximumInputBytes)
    .regex(/^0x(?:[0-9a-f]{2})*$/),
});
export type Transaction = z.infer<typeof transactionSchema>;
