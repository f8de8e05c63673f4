import * as z from 'zod';
import { maximumAdvisoryBytes } from '../advisory.ts';
import { maximumAttestationBytes } from '../attestation.ts';
import { accountChangeSchema, accountRecordSchema } from '../audit/account-record.ts';
import { entrySchema } from '../audit/entry.ts';
import { maximumProductProofText, productProofSchema } from '../audit/product-proof.ts';
import { transactionSchema } from '../audit/transaction.ts';
import { addressSchema } from '../bytes.ts';
import { sha256DigestSchema } from '../digest.ts';
import { envelopeSchema } from '../dsse.ts';
import { parseJson } from '../json.ts';
import { sigstoreRootSchema } from '../keyless.ts';
import { productIdSchema } from '../names.ts';
import { maximumRebuildBytes, maximumRebuildsInEvidence } from '../rebuild.ts';

export const auditFileVersion = 1;
/** One line, in characters: the largest is a proof. */
export const maximumAuditLine = maximumProductProofText + 1024;
/** Lines before the entries (X2). */
export const maximumProofsInFile = 4;
export const maximumTrustRootsInFile = 4096;
export const maximumSigstoreRootsInFile = 64;
export const maximumAccountsInFile = 32;
/** Of all accounts together. */
export const maximumAccountChangesInFile = 256;
export const maximumAdvisoriesInFile = 2000;
/** Of one entry: one of each rebuilder. */
export const maximumRebuildsOfEntry = maximumRebuildsInEvidence;

const count = z
  .int()
  .min(0)
  .max(2 ** 48 - 1);

const headerLine = z.strictObject({
  kind: z.literal('header'),
  auditFileVersion: z.literal(auditFileVersion),
  chainId: z.int().min(1),
  registry: addressSchema,
  product: productIdSchema,
  /** Entries in the file: all of the product's up to the first proof. */
  entries: count.min(1),
  /** How many nodes the exporter asked, and how many of them it wanted to show the block alike: its word, for people. */
  nodes: z.int().min(0).max(10_000),
  quorum: z.int().min(0).max(10_000),
});
const lineSchema = z.discriminatedUnion(
  'kind',
  [
    headerLine,
    z.strictObject({ kind: z.literal('proof'), proof: productProofSchema }),
    z.strictObject({ kind: z.literal('trust-root'), envelope: envelopeSchema }),
    z.strictObject({ kind: z.literal('sigstore-root'), text: sigstoreRootSchema }),
    z.strictObject({ kind: z.literal('account'), account: accountRecordSchema }),
    /** Of the account before it. */
    z.strictObject({ kind: z.literal('account-change'), change: accountChangeSchema }),
    z.strictObject({ kind: z.literal('advisory'), text: z.string().min(1).max(maximumAdvisoryBytes) }),
    z.strictObject({ kind: z.literal('entry'), entry: entrySchema.strict() }),
    z.strictObject({ kind: z.literal('transaction'), transaction: transactionSchema.strict() }),
    z.strictObject({ kind: z.literal('attestation'), text: z.string().min(1).max(maximumAttestationBytes) }),
    /** Of the release that the entry before it published. */
    z.strictObject({ kind: z.literal('rebuild'), text: z.string().min(1).max(maximumRebuildBytes) }),
    /** sha-256 of all bytes before this line. */
    z.strictObject({ kind: z.literal('end'), lines: count.min(3), sha256: sha256DigestSchema }),
  ],
  { error: (issue) => (issue.code === 'invalid_union' ? 'is none that an audit file has' : undefined) },
);

/** One line of an audit file (X1 of docs/spec/audit.md). */
export type AuditLine = z.output<typeof lineSchema>;
export type AuditLineOf<Kind extends AuditLine['kind']> = Extract<AuditLine, { readonly kind: Kind }>;

/** @throws FirmproofError `audit-file-malformed` */
export function parseAuditLine(text: string, number: number): AuditLine {
  return parseJson(text, lineSchema, {
    code: 'audit-file-malformed',
    maximumBytes: maximumAuditLine,
    what: `line ${number} of the audit file`,
  });
}
