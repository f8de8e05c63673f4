import * as z from 'zod';
import { sha256DigestSchema } from './digest.ts';
import { publicKeySchema } from './keys.ts';
import { maximumMessageBytes } from './receipt.ts';

/** A receipt as its device has signed it, with what it takes to check that without the server that kept it (S3.8). */
export const storedReceiptSchema = z
  .object({
    keyDigest: sha256DigestSchema,
    publicKey: publicKeySchema.meta({ description: 'Its sha-256 is the key digest.' }),
    body: z.string().max(maximumMessageBytes).meta({ description: 'The receipt, byte for byte as it was signed.' }),
    signatureInput: z.string().max(maximumMessageBytes),
    signature: z.string().max(maximumMessageBytes),
    receivedAt: z.int().min(0).meta({ description: 'Seconds since 1970, by the clock of the server.' }),
    cloneSuspected: z.boolean().meta({ description: 'Its counter had been used before: two devices have this key.' }),
  })
  .meta({ id: 'StoredReceipt', description: 'A receipt as its device has signed it.' });
export type StoredReceipt = z.infer<typeof storedReceiptSchema>;
