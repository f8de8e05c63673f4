import * as z from 'zod';
import { maximumAdvisoriesInEvidence, maximumAdvisoryBytes } from './advisory.ts';
import { maximumAttestationBytes } from './attestation.ts';
import { sha256DigestSchema } from './digest.ts';
import { envelopeSchema } from './dsse.ts';
import { parseJson } from './json.ts';
import { sigstoreRootSchema } from './keyless.ts';
import { maximumRebuildBytes, maximumRebuildsInEvidence } from './rebuild.ts';
import { blockStatementSchema, cosignatureSchema } from './witness.ts';

export const maximumProofNodes = 64;
export const maximumProofBytesInAll = 256 * 1024;
export const maximumTrustRootsInEvidence = 32;
/** Everything a device reads as evidence, in bytes of JSON text. */
export const maximumEvidenceBytes = 4 * 1024 * 1024;

/** A trie node: at most 64 KiB here; the sum over all proofs is bounded by check 4. */
const nodeSchema = z
  .string()
  .max(2 + 2 * 64 * 1024)
  .regex(/^0x(?:[0-9a-f]{2})+$/);
export const merkleProofSchema = z.array(nodeSchema).max(256);

export const evidenceSchema = z.object({
  evidenceVersion: z.literal(1),
  block: blockStatementSchema,
  cosignatures: z.array(cosignatureSchema).max(64),
  accountProof: merkleProofSchema,
  storageProofs: z.object({
    productState: merkleProofSchema,
    history: merkleProofSchema,
    trustRoot: merkleProofSchema,
    headVersion: merkleProofSchema,
    headSchedule: merkleProofSchema,
    /** Absent while the channel is empty, like the release itself. */
    releaseCommitment: merkleProofSchema.optional(),
    releaseState: merkleProofSchema.optional(),
  }),
  release: z.object({ image: sha256DigestSchema, attestation: z.string().max(maximumAttestationBytes) }).optional(),
  /** The newest trust roots, in order, for devices that are behind; older ones are at `…/trust-roots`. */
  trustRoots: z.array(envelopeSchema).max(maximumTrustRootsInEvidence).default([]),
  /** The Sigstore TrustedRoot that the newest trust root names, as text: its digest has to be the same. */
  sigstoreTrustedRoot: sigstoreRootSchema.optional(),
  /** Trustless gateways that have the image, tried after the device's own servers. */
  sources: z
    .array(z.url({ protocol: /^https?$/ }).max(500))
    .max(16)
    .default([]),
  /** What rebuilders have signed about the release (B5); whether any of it counts, the device decides. */
  rebuilds: z.array(z.string().max(maximumRebuildBytes)).max(maximumRebuildsInEvidence).optional(),
  /** The newest advisories about the product (W5). */
  advisories: z.array(z.string().max(maximumAdvisoryBytes)).max(maximumAdvisoriesInEvidence).optional(),
});

/** Evidence v1: all that a device needs to decide about one channel of one product. */
export type Evidence = z.infer<typeof evidenceSchema>;
export type StorageProofName = keyof Evidence['storageProofs'];

/** @throws FirmproofError `evidence-malformed` */
export function parseEvidence(text: string): Evidence {
  return parseJson(text, evidenceSchema, {
    code: 'evidence-malformed',
    maximumBytes: maximumEvidenceBytes,
    what: 'the evidence',
  });
}
