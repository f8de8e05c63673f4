import * as z from 'zod';
import { maximumAdvisoryBytes } from './advisory.ts';
import { sha256DigestSchema } from './digest.ts';

/** What is sent to a server to be kept: a signed statement, as text, so that its bytes stay what they are. */
export const signedStatementRequestSchema = z
  .object({ attestation: z.string().min(1).max(maximumAdvisoryBytes) })
  .meta({ id: 'SignedStatementRequest' });

/** What a server has kept. Nothing of it is repeated outside of what was signed: readers verify that. */
export const keptStatementSchema = z
  .object({
    digest: sha256DigestSchema.meta({ description: 'sha-256 of the attestation.' }),
    receivedAt: z.int().min(0),
    attestation: z.string().max(maximumAdvisoryBytes).meta({ description: 'The signed statement, byte for byte.' }),
  })
  .meta({ id: 'KeptStatement', description: 'A rebuild or an advisory, as it was signed.' });
export type KeptStatement = z.infer<typeof keptStatementSchema>;
