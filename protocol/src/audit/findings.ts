import * as z from 'zod';
import { channelSchema, versionSchema } from '../names.ts';

/** Everything that an audit can find, one vocabulary for command, monitor and pages. docs/spec/audit.md says what each means. */
export const findingCodes = [
  'history-incomplete',
  'history-differs',
  'nodes-disagree',
  'no-quorum',
  'server-disagrees',
  'chain-stalled',
  'release-unannounced',
  'approval-unexpected',
  'approval-unproven',
  'approved-by-guardian',
  'head-moved-backwards',
  'release-revoked',
  'head-revoked',
  'channel-halted',
  'configuration-pending',
  'configuration-vetoed',
  'publisher-changed',
  'guardian-changed',
  'delay-changed',
  'trust-root-changed',
  'signers-changed',
  'recovery-pending',
  'attestation-missing',
  'attestation-untrusted',
  'statement-disagrees',
  'content-missing',
  'document-missing',
  'product-moved',
] as const;
export type FindingCode = (typeof findingCodes)[number];

/** bad: something is wrong. warn: somebody should look whether it was meant. info: worth knowing. */
export const severities = ['bad', 'warn', 'info'] as const;
export type FindingSeverity = (typeof severities)[number];

export const findingSchema = z.object({
  code: z.enum(findingCodes),
  severity: z.enum(severities),
  /** The entry that it is about. */
  sequence: z.int().min(1).optional(),
  version: versionSchema.optional(),
  channel: channelSchema.optional(),
  /** One line for people. */
  message: z.string().max(500),
});
export type Finding = z.infer<typeof findingSchema>;
