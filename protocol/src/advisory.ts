import * as z from 'zod';
import { sha256DigestSchema } from './digest.ts';
import { cveIdSchema, documentSchema, severities } from './documents.ts';
import { payloadOf } from './dsse.ts';
import { FirmproofError, isFirmproofError } from './errors.ts';
import { parseJson, utf8Text } from './json.ts';
import type { KeylessMeans } from './keyless.ts';
import { productIdSchema, type Version, versionSchema } from './names.ts';
import { parseSignedStatement, type SignedStatement, verifySigner } from './signed-statement.ts';
import { statementType } from './statement.ts';
import { lineSchema, linesSchema } from './text.ts';
import type { TrustRoot } from './trust-root.ts';

/** W… are rules of docs/spec/rebuilds-and-advisories.md. */
export const advisoryPredicateType = 'https://firmproof.dev/advisory/v1';
/** An advisory as signed, in bytes of its text; a keyless one carries certificate and log entry (W2). */
export const maximumAdvisoryBytes = 48 * 1024;
export const maximumAdvisoriesInEvidence = 32;
/** So many ids a device remembers (W6). */
export const maximumAdvisoriesKept = 64;
const maximumVersions = 64;

/** Upper case and ASCII alone, as FPA-2026-1 (W1). */
export const advisoryIdSchema = z
  .string()
  .max(32)
  .regex(/^[A-Z][A-Z0-9]*(?:-[A-Z0-9]+){1,3}$/);

/** What VEX says of a product. */
export const advisoryStatuses = ['affected', 'not_affected', 'fixed', 'under_investigation'] as const;
export type AdvisoryStatus = (typeof advisoryStatuses)[number];

const advisoryPredicateSchema = z
  .object({
    product: productIdSchema,
    id: advisoryIdSchema,
    /** Rises with every change of the advisory; the highest one is what holds. */
    revision: z
      .int()
      .min(1)
      .max(2 ** 31 - 1),
    /** Seconds since 1970, of this revision. */
    publishedAt: z.int().min(0),
    status: z.enum(advisoryStatuses),
    severity: z.enum(severities),
    /** The versions that it is about; `status` says what is with them. */
    versions: z.array(versionSchema).min(1).max(maximumVersions),
    /** The version to update to. */
    fixedIn: versionSchema.optional(),
    title: lineSchema(200),
    /** Lines for people. */
    text: linesSchema(4096),
    vulnerabilities: z.array(cveIdSchema).max(64).default([]),
    /** A VEX document that says the same to machines. */
    vex: documentSchema.optional(),
  })
  .refine(({ versions }) => new Set(versions).size === versions.length, 'names a version twice');
export type AdvisoryPredicate = z.infer<typeof advisoryPredicateSchema>;

export const advisoryStatementSchema = z
  .object({
    _type: z.literal(statementType),
    /** The images of those versions that the chain records: what in-toto's tools go by. Devices go by `versions`. */
    subject: z
      .array(z.object({ name: versionSchema, digest: z.object({ sha256: sha256DigestSchema }) }))
      .min(1)
      .max(maximumVersions),
    predicateType: z.literal(advisoryPredicateType),
    predicate: advisoryPredicateSchema,
  })
  .refine(
    ({ subject, predicate }) => subject.every(({ name }) => predicate.versions.includes(name)),
    'a subject is none of the versions',
  );
/** An in-toto Statement v1 about releases that are out already. */
export type AdvisoryStatement = z.infer<typeof advisoryStatementSchema>;

/** An advisory that has been read. Its signature is not verified before `verifyAdvisory`. */
export type Advisory = SignedStatement & { readonly statement: AdvisoryStatement };

const what = 'the advisory';

/**
 * @throws FirmproofError `advisory-malformed`, `attestation-malformed`, `attestation-payload-type`,
 *   `attestation-keyid-mismatch`, `attestation-not-logged`
 */
export function parseAdvisory(text: string): Advisory {
  const signed = parseSignedStatement(text, { maximumBytes: maximumAdvisoryBytes, what });
  const code = 'advisory-malformed';
  const payload = utf8Text(payloadOf(signed.envelope), code, what);
  const statement = parseJson(payload, advisoryStatementSchema, { code, maximumBytes: maximumAdvisoryBytes, what });
  return { ...signed, statement };
}

/** What of a trust root says who may publish advisories: whoever may sign releases. */
export type AdvisoryTrust = Pick<TrustRoot, 'product' | 'buildKeys' | 'sigstore'>;

/**
 * W3: about this product, and signed by a build key or an identity of its trust root.
 * @throws FirmproofError `statement-product`, `attestation-key-unknown`, `attestation-signature-invalid`, and what
 *   `verifyKeyless` throws
 */
export async function verifyAdvisory(
  advisory: Advisory,
  trustRoot: AdvisoryTrust,
  means: KeylessMeans = {},
): Promise<void> {
  if (advisory.statement.predicate.product !== trustRoot.product)
    throw new FirmproofError('statement-product', 'the advisory is about another product');
  await verifySigner(advisory, trustRoot, means, what);
}

/**
 * Those that hold under a trust root, for a device to keep (D18); what is malformed or forged is left out (W4).
 * @param onPassedOver told why, for each that is left out
 */
export async function provenAdvisories(
  texts: readonly string[],
  trustRoot: AdvisoryTrust,
  means: KeylessMeans = {},
  onPassedOver: (error: FirmproofError) => void = () => undefined,
): Promise<readonly Advisory[]> {
  const proven: Advisory[] = [];
  for (const text of texts) {
    try {
      const advisory = parseAdvisory(text);
      await verifyAdvisory(advisory, trustRoot, means);
      proven.push(advisory);
    } catch (error) {
      if (!isFirmproofError(error)) throw error;
      onPassedOver(error);
    }
  }
  return proven;
}

/** What asks for something comes first, then what is worse, then what is newer (W5). */
export function byImportance(a: Advisory, b: Advisory): number {
  const [one, other] = [a.statement.predicate, b.statement.predicate];
  const asks = ({ status }: AdvisoryPredicate) => (status === 'affected' || status === 'under_investigation' ? 1 : 0);
  const badness = ({ severity }: AdvisoryPredicate) => severities.indexOf(severity);
  return (
    asks(other) - asks(one) ||
    badness(other) - badness(one) ||
    other.publishedAt - one.publishedAt ||
    (one.id < other.id ? -1 : 1)
  );
}

/**
 * The newest revision of each id that has been seen, the most important ones first (W6). Never goes back: of an id that is
 * known only a higher revision counts, and of two that differ under one number the one that came first.
 * @param known as this function has given them before
 */
export function newestRevisions(
  known: readonly Advisory[],
  more: readonly Advisory[],
  maximum = maximumAdvisoriesKept,
): readonly Advisory[] {
  const newest = new Map<string, Advisory>();
  for (const advisory of [...known, ...more]) {
    const { id, revision } = advisory.statement.predicate;
    const before = newest.get(id)?.statement.predicate.revision ?? 0;
    if (revision > before) newest.set(id, advisory);
  }
  return [...newest.values()].sort(byImportance).slice(0, maximum);
}

/** Whether an advisory is about a version. */
export const isAbout = ({ statement }: Advisory, version: Version): boolean =>
  statement.predicate.versions.includes(version);
