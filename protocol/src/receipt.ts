import * as z from 'zod';
import { bytes32Schema } from './bytes.ts';
import { sha256DigestSchema } from './digest.ts';
import { productIdSchema, versionSchema } from './names.ts';

/** Tags keep a signature of a device key from being taken for another one (RFC 9421). */
export const receiptTag = 'firmproof-receipt';
export const enrolmentTag = 'firmproof-enrolment';

const runningSchema = z.object({ version: versionSchema, image: sha256DigestSchema.nullable() });

export const receiptResults = ['confirmed', 'rolled-back', 'failed'] as const;

/** What a device says of itself, signed as an HTTP message: what became of a release, or that it is alive. */
export const receiptSchema = z
  .object({
    receiptVersion: z.literal(1),
    product: productIdSchema,
    device: z.uuid(),
    counter: z.int().min(1).meta({ description: 'Rises with every receipt of the device, and is never used again.' }),
    time: z.int().min(0).meta({ description: "Seconds since 1970 of the device's trusted time." }),
    kind: z.enum(['outcome', 'heartbeat']),
    running: runningSchema,
    outcome: z
      .object({
        result: z.enum(receiptResults),
        version: versionSchema,
        image: sha256DigestSchema,
        before: runningSchema,
        code: z
          .string()
          .max(64)
          .regex(/^[a-z0-9-]+$/)
          .optional(),
      })
      .optional(),
    seen: z
      .object({
        block: z.object({ number: z.int(), hash: bytes32Schema }),
        sequence: z.int(),
        history: bytes32Schema,
      })
      .nullable()
      .meta({ description: 'The last history that was proved to the device; null before the first.' }),
    agentVersion: z.string().max(31),
  })
  .meta({ id: 'Receipt' });
export type Receipt = z.infer<typeof receiptSchema>;

/** What a device asks for when it wants to be enrolled; signed by its own key. */
export const enrolmentSchema = z
  .object({
    device: z.uuid(),
    publicKey: z.string().max(200),
    claimToken: z.string().min(1).max(200).optional(),
    hardware: z.string().min(1).max(63),
  })
  .meta({ id: 'Enrolment' });
export type Enrolment = z.infer<typeof enrolmentSchema>;
