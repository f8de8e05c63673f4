import * as z from 'zod';
import { bytesOfBase64 } from './bytes.ts';
import { sha256DigestSchema } from './digest.ts';
import { preAuthenticationEncoding } from './dsse.ts';
import { FirmproofError } from './errors.ts';
import { publicKeySchema, verifySignature } from './keys.ts';
import { productIdSchema, versionSchema } from './names.ts';

/** Keeps a report from being taken for anything else that a device key signs. */
const reportPayloadType = 'application/vnd.firmproof.device-report+json';

export const reportOutcomes = ['confirmed', 'rolled-back', 'failed'] as const;

/** What became of one release on one device, as the device says. Nobody has enrolled its key: a count, not a proof. */
export const reportSchema = z.object({
  /** Public key of the device. */
  device: publicKeySchema,
  product: productIdSchema,
  version: versionSchema,
  image: sha256DigestSchema,
  outcome: z.enum(reportOutcomes),
  /** Why not, where it was not confirmed. */
  code: z
    .string()
    .max(64)
    .regex(/^[a-z0-9-]+$/)
    .optional(),
  /** Rises with every report of the device. */
  counter: z.int().min(1),
  /** Seconds since 1970 on the device's own clock. */
  time: z.int().min(0),
});
export type Report = z.infer<typeof reportSchema>;

const signatureSchema = z
  .string()
  .max(300)
  .refine((text) => bytesOfBase64(text) !== null, 'not base64');

export const signedReportSchema = z
  .object({ report: reportSchema, signature: signatureSchema.meta({ description: "By the device's key, base64." }) })
  .meta({ id: 'SignedReport' });
export type SignedReport = z.infer<typeof signedReportSchema>;

/** What the device key signs: the members in this order, as a JSON array under DSSE's encoding (docs/spec/device.md). */
export function reportBytes(report: Report): Uint8Array {
  const { device, product, version, image, outcome, code = null, counter, time } = report;
  const members = [device, product, version, image, outcome, code, counter, time];
  return preAuthenticationEncoding(reportPayloadType, new TextEncoder().encode(JSON.stringify(members)));
}

/** @throws FirmproofError `report-invalid` */
export function requireReportSignature({ report, signature }: SignedReport): void {
  const bytes = bytesOfBase64(signature);
  if (bytes !== null && verifySignature(report.device, reportBytes(report), bytes)) return;
  throw new FirmproofError('report-invalid', 'the report is not signed by the device key that it names');
}

/** What devices report of a product. */
export const reportSummarySchema = z
  .object({
    product: productIdSchema,
    devices: z.int().meta({ description: 'Device keys that have reported; nobody has enrolled them.' }),
    full: z.boolean().meta({ description: 'No further device key is counted.' }),
    counts: z.array(z.object({ version: versionSchema, outcome: z.enum(reportOutcomes), devices: z.int() })),
  })
  .meta({
    id: 'ReportSummary',
    description: 'The last report of each device key, counted. Devices report it themselves.',
  });
export type ReportSummary = z.infer<typeof reportSummarySchema>;
