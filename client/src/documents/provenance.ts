import { FirmproofError, type Sha256Digest } from '@firmproof/protocol';
import { z } from 'zod';
import { mistakesIn } from './mistakes.ts';

type Fields = Readonly<Record<string, unknown>>;

const text = z.string().min(1);
const envelopeSchema = z.object({
  payloadType: z.literal('application/vnd.in-toto+json'),
  payload: z.base64(),
  signatures: z.array(z.object({ sig: text })).min(1),
});
const statementSchema = z.object({
  _type: z.enum(['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']),
  subject: z.array(z.object({ name: z.string().optional(), digest: z.record(z.string(), z.string()) })).min(1),
  predicateType: z.enum(['https://slsa.dev/provenance/v1', 'https://slsa.dev/provenance/v0.2']),
  predicate: z.record(z.string(), z.unknown()),
});
const predicateSchemas = {
  'https://slsa.dev/provenance/v1': z.object({
    buildDefinition: z.object({ buildType: text, externalParameters: z.record(z.string(), z.unknown()) }),
    runDetails: z.object({ builder: z.object({ id: text }) }),
  }),
  'https://slsa.dev/provenance/v0.2': z.object({ builder: z.object({ id: text }), buildType: text }),
} as const;

/** The sha-256 digests that a provenance is about. */
export type Provenance = { readonly subjects: readonly string[] };

/**
 * Reads SLSA provenance: an in-toto statement, bare, in a DSSE envelope, or in a Sigstore bundle. Whose signature is on it is
 * for whoever relies on it to check: it was made by another builder's key than the ones of the trust root.
 * @throws FirmproofError `provenance-malformed`, naming the places that are wrong
 */
export function readProvenance(document: Fields, what: string): Provenance {
  const refuse = (mistake: string) => new FirmproofError('provenance-malformed', `${what}: ${mistake}`);
  const parse = <Schema extends z.ZodType>(schema: Schema, value: unknown, place: string): z.output<Schema> => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw refuse(mistakesIn(parsed.error, place));
  };
  const enveloped = document['dsseEnvelope'] ?? (document['payloadType'] === undefined ? undefined : document);
  const statement = parse(statementSchema, enveloped === undefined ? document : payloadOf(enveloped), '');
  parse(predicateSchemas[statement.predicateType], statement.predicate, 'predicate.');
  return { subjects: statement.subject.flatMap(({ digest }) => digest['sha256']?.toLowerCase() ?? []) };

  function payloadOf(envelope: unknown): unknown {
    const { payload } = parse(envelopeSchema, envelope, document['dsseEnvelope'] === undefined ? '' : 'dsseEnvelope.');
    try {
      return JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
    } catch {
      throw refuse('payload: is no JSON');
    }
  }
}

/** @throws FirmproofError `provenance-subject` */
export function requireAboutImage({ subjects }: Provenance, image: Sha256Digest, what: string): void {
  if (subjects.includes(image)) return;
  const named = subjects.length === 0 ? 'no sha-256' : subjects.slice(0, 3).join(', ');
  throw new FirmproofError('provenance-subject', `${what} is about ${named}; the image has sha-256 ${image}`);
}
