import * as z from 'zod';
import { bytes32Schema } from './bytes.ts';
import { sha256DigestSchema } from './digest.ts';
import { FirmproofError } from './errors.ts';
import { parseJson } from './json.ts';
import { publicKeySchema } from './keys.ts';
import { productIdSchema, versionSchema } from './names.ts';

/** Tags keep a signature of a device key from being taken for another one (RFC 9421). */
export const receiptTag = 'firmproof-receipt';
export const enrolmentTag = 'firmproof-enrolment';

/** What a server reads of a signed message of a device (S1.6 of docs/spec/receipts.md); a receipt is about 1 KB. */
export const maximumMessageBytes = 16 * 1024;

/** The id that a device made for itself: a UUID in lower case. */
const deviceIdSchema = z.uuid().lowercase();

const runningSchema = z.object({ version: versionSchema, image: sha256DigestSchema.nullable() });

export const receiptResults = ['confirmed', 'rolled-back', 'failed'] as const;

/** What a device says of itself, signed as an HTTP message: what became of a release, or that it is alive. */
export const receiptSchema = z
  .object({
    receiptVersion: z.literal(1),
    product: productIdSchema,
    device: deviceIdSchema,
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
        block: z.object({ number: z.int().min(0), hash: bytes32Schema }),
        sequence: z.int().min(0),
        history: bytes32Schema,
      })
      .nullable()
      .meta({ description: 'The last history that was proved to the device; null before the first.' }),
    agentVersion: z.string().max(31),
  })
  .refine(({ kind, outcome }) => (kind === 'outcome') === (outcome !== undefined), {
    message: 'an outcome has a result, a heartbeat has none',
    path: ['outcome'],
  })
  .meta({ id: 'Receipt' });
export type Receipt = z.infer<typeof receiptSchema>;

/** @throws FirmproofError `receipt-malformed` */
export const parseReceipt = (text: string): Receipt =>
  parseJson(text, receiptSchema, { code: 'receipt-malformed', maximumBytes: maximumMessageBytes, what: 'the receipt' });

/** What a device asks for when it wants to be enrolled; signed by its own key. */
export const enrolmentSchema = z
  .object({
    device: deviceIdSchema,
    publicKey: publicKeySchema,
    claimToken: z.string().min(1).max(200).optional(),
    hardware: z.string().min(1).max(63),
  })
  .meta({ id: 'Enrolment' });
export type Enrolment = z.infer<typeof enrolmentSchema>;

/** @throws FirmproofError `enrolment-malformed` */
export const parseEnrolment = (text: string): Enrolment =>
  parseJson(text, enrolmentSchema, {
    code: 'enrolment-malformed',
    maximumBytes: maximumMessageBytes,
    what: 'the enrolment',
  });

export const enrolmentStates = ['pending', 'enrolled', 'revoked'] as const;
export type EnrolmentState = (typeof enrolmentStates)[number];

/** Why somebody should look at a device: two of it speak (S3), or it was shown another chain (S4). */
export const deviceFlags = ['clone-suspected', 'split-view'] as const;

const seconds = z.int().min(0);

/** What the server knows of one device. */
export const deviceResourceSchema = z
  .object({
    product: productIdSchema,
    device: deviceIdSchema,
    keyDigest: sha256DigestSchema,
    state: z.enum(enrolmentStates).meta({ description: 'revoked: by this server, or on chain.' }),
    revokedOnChain: z.boolean(),
    enrolledBy: z.enum(['factory', 'claim-token', 'acceptance']).nullable(),
    hasKey: z.boolean().meta({ description: 'false: only the digest is known until the device enrols itself.' }),
    hardware: z.string().nullable(),
    askedAt: seconds,
    lastSeenAt: seconds.nullable(),
    counter: z.int().nullable(),
    running: z.object({ version: versionSchema, image: sha256DigestSchema.nullable() }).nullable(),
    outcome: receiptSchema.shape.outcome.unwrap().omit({ before: true }).nullable(),
    seen: receiptSchema.shape.seen,
    agentVersion: z.string().nullable(),
    flags: z.array(z.object({ code: z.enum(deviceFlags), at: seconds, evidence: z.string() })),
  })
  .meta({ id: 'Device', description: 'A device, and what its newest receipt says.' });
export type DeviceResource = z.infer<typeof deviceResourceSchema>;

/** What became of the request of a device to be enrolled. */
export const enrolmentAnswerSchema = z
  .object({ product: productIdSchema, device: deviceIdSchema, state: z.enum(['enrolled', 'pending']) })
  .meta({ id: 'EnrolmentAnswer' });
export type EnrolmentAnswer = z.infer<typeof enrolmentAnswerSchema>;

const deviceCount = z.int().min(0);

/** The fleet in numbers; a device counts by its newest receipt. */
export const fleetSummarySchema = z
  .object({
    product: productIdSchema,
    enrolled: deviceCount,
    pending: deviceCount,
    revoked: deviceCount,
    flagged: deviceCount,
    heard: deviceCount.meta({ description: 'Enrolled devices that have sent a receipt.' }),
    running: z.array(z.object({ version: versionSchema, image: sha256DigestSchema.nullable(), devices: deviceCount })),
  })
  .meta({ id: 'FleetSummary', description: 'What enrolled devices have signed, counted.' });
export type FleetSummary = z.infer<typeof fleetSummarySchema>;

export const maximumClaims = 1_000_000;
export const maximumClaimSeconds = 366 * 86_400;

export const claimTokenRequestSchema = z
  .object({ devices: z.int().min(1).max(maximumClaims), lifetimeSeconds: z.int().min(60).max(maximumClaimSeconds) })
  .meta({ id: 'ClaimTokenRequest' });
export type ClaimTokenRequest = z.infer<typeof claimTokenRequestSchema>;

export const claimTokenSchema = z
  .object({
    id: z.string().meta({ description: 'Names the token without being it.' }),
    token: z.string().meta({ description: 'Shown once; the server keeps its hash.' }),
    product: productIdSchema,
    devices: z.int(),
    expiresAt: seconds,
  })
  .meta({ id: 'ClaimToken' });
export type ClaimToken = z.infer<typeof claimTokenSchema>;

/** What came of a factory's list. */
export const importAnswerSchema = z
  .object({ product: productIdSchema, devices: deviceCount, added: deviceCount, known: deviceCount })
  .meta({ id: 'ImportAnswer' });
export type ImportAnswer = z.infer<typeof importAnswerSchema>;

/** A device as the path of a request names it: its id, or the digest of its key. @throws FirmproofError `device-not-found` */
export function parseDeviceName(text: string): string {
  const name = z.union([deviceIdSchema, sha256DigestSchema]).safeParse(text.toLowerCase());
  if (name.success) return name.data;
  throw new FirmproofError('device-not-found', 'a device is named by its id, or by the digest of its key');
}
