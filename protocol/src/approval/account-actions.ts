import * as z from 'zod';
import { bytes32Schema } from '../bytes.ts';
import type { Field } from '../eip712.ts';
import { maximumSigners, signerSchema } from '../signers.ts';

const uint64 = z.int().min(0);
const signersSchema = z.array(signerSchema).max(maximumSigners);

/** What changes a vendor account, word for word as in contracts/src/interfaces/IVendorAccount.sol. */
export const accountActions = {
  SetSigners: z.object({
    signers: signersSchema,
    threshold: uint64,
    passkeysAlone: z.boolean(),
    epoch: uint64,
    deadline: uint64,
  }),
  SetRecovery: z.object({ signers: signersSchema, threshold: uint64, epoch: uint64, deadline: uint64 }),
  Recover: z.object({
    signers: signersSchema,
    threshold: uint64,
    passkeysAlone: z.boolean(),
    epoch: uint64,
    deadline: uint64,
  }),
  CancelRecovery: z.object({ pending: bytes32Schema, deadline: uint64 }),
} as const;
export type AccountActionName = keyof typeof accountActions;
export type AccountActionMessage<Name extends AccountActionName> = z.infer<(typeof accountActions)[Name]>;

export const field = (type: string, name: string): Field => ({ name, type });
const newSigners = [
  field('bytes[]', 'signers'),
  field('uint64', 'threshold'),
  field('bool', 'passkeysAlone'),
  field('uint64', 'epoch'),
  field('uint64', 'deadline'),
];
export const accountTypes: Readonly<Record<AccountActionName, Field[]>> = {
  SetSigners: newSigners,
  SetRecovery: newSigners.filter(({ name }) => name !== 'passkeysAlone'),
  Recover: newSigners,
  CancelRecovery: [field('bytes32', 'pending'), field('uint64', 'deadline')],
};
