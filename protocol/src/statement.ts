import * as z from 'zod';
import { cidSchema } from './cid.ts';
import { sha256DigestSchema } from './digest.ts';
import { supplyChainShape } from './documents.ts';
import { FirmproofError } from './errors.ts';
import { describeIssues, parseJson, utf8Text } from './json.ts';
import { productIdSchema, versionSchema } from './names.ts';
import { maximumRxswins, rxswinSchema } from './rxswin.ts';
import { componentSchema, maximumComponents, sbomFormats } from './sbom.ts';

export const statementType = 'https://in-toto.io/Statement/v1';
export const predicateType = 'https://firmproof.dev/release/v1';
export const statementPayloadType = 'application/vnd.in-toto+json';
export const maximumStatementBytes = 64 * 1024;
/** Any hardware, any precursor: said aloud, since nothing permissive may rest on absence. */
export const anyOf = '*';

/** security: closes a hole, and asks for nothing else of people. feature: everything else. */
export const releasePurposes = ['security', 'feature'] as const;
export type ReleasePurpose = (typeof releasePurposes)[number];

const hardwareSchema = z.string().regex(/^(?:\*|[A-Za-z0-9][A-Za-z0-9._-]{0,62})$/);

export const predicateSchema = z.object({
  product: productIdSchema,
  version: versionSchema,
  image: z.object({ cid: cidSchema, sizeBytes: z.int().min(1) }),
  rollbackIndex: z.int().min(0).max(0xffff_ffff),
  /** Hardware revisions that the image is for, or `*`. */
  hardware: z.array(hardwareSchema).min(1).max(256),
  /** Versions that the image may be installed over, or `*`. */
  precursors: z
    .array(z.union([z.literal(anyOf), versionSchema]))
    .min(1)
    .max(256),
  notes: z.string().max(32_768).optional(),
  /** What devices may treat apart. Absent is `feature`: nothing permissive rests on absence. */
  purpose: z.enum(releasePurposes).optional(),
  ...supplyChainShape,
  /** The RX software identification numbers that the image carries, for registers (R3.9). */
  rxswins: z.array(rxswinSchema).max(maximumRxswins).optional(),
  /** The first software bill of materials: which file it is, and what is in it, for people who compare releases (R3.7). */
  sbom: z
    .object({
      format: z.enum(sbomFormats),
      digest: sha256DigestSchema,
      components: z.array(componentSchema).max(maximumComponents).optional(),
    })
    .optional(),
});
export type ReleasePredicate = z.infer<typeof predicateSchema>;

const statementSchema = z.object({
  _type: z.literal(statementType),
  subject: z
    .array(z.object({ name: z.string().min(1).max(255), digest: z.object({ sha256: sha256DigestSchema }) }))
    .length(1),
  predicateType: z.literal(predicateType),
  predicate: predicateSchema,
});

/** An in-toto Statement v1 about one image. */
export type Statement = z.infer<typeof statementSchema>;

const typesSchema = z.object({ _type: z.unknown(), predicateType: z.unknown() });

/** The statement as bytes to be signed. @throws FirmproofError `statement-malformed` when no device would read it */
export function encodeStatement(statement: Statement): Uint8Array {
  const parsed = statementSchema.safeParse(statement);
  if (!parsed.success)
    throw new FirmproofError('statement-malformed', `the statement: ${describeIssues(parsed.error).join('; ')}`);
  const bytes = new TextEncoder().encode(JSON.stringify(parsed.data));
  if (bytes.length <= maximumStatementBytes) return bytes;
  throw new FirmproofError(
    'statement-malformed',
    `the statement has ${bytes.length} bytes, devices read ${maximumStatementBytes} at most`,
    { hint: 'Give long release notes as a file, and fewer documents.' },
  );
}

/**
 * @throws FirmproofError `statement-malformed`, `statement-type`, `statement-predicate-type`
 */
export function parseStatement(payload: Uint8Array): Statement {
  const options = { code: 'statement-malformed', maximumBytes: maximumStatementBytes, what: 'the statement' } as const;
  const text = utf8Text(payload, options.code, options.what);
  const types = parseJson(text, typesSchema, options);
  if (types._type !== statementType)
    throw new FirmproofError('statement-type', 'the signed document is no in-toto Statement v1');
  if (types.predicateType !== predicateType) {
    throw new FirmproofError('statement-predicate-type', 'the signed statement is not about a firmware release');
  }
  return parseJson(text, statementSchema, options);
}

export function subjectDigest(statement: Statement): Statement['subject'][number]['digest']['sha256'] {
  const subject = statement.subject[0];
  if (!subject) throw new FirmproofError('statement-malformed', 'the statement has no subject');
  return subject.digest.sha256;
}
