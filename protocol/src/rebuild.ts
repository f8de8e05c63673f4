import * as z from 'zod';
import { type Sha256Digest, sha256DigestSchema } from './digest.ts';
import { payloadOf } from './dsse.ts';
import { FirmproofError, isFirmproofError } from './errors.ts';
import { parseJson, utf8Text } from './json.ts';
import { keyIdOf, type PublicKey, publicKeySchema } from './keys.ts';
import { productIdSchema, type Version, versionSchema } from './names.ts';
import { type KeyedStatement, parseSignedStatement, requireSignedBy } from './signed-statement.ts';
import { statementType } from './statement.ts';
import { lineSchema } from './text.ts';

/** B… are rules of docs/spec/rebuilds-and-advisories.md. */
export const rebuildPredicateType = 'https://firmproof.dev/rebuild/v1';
/** A rebuild as signed, in bytes of its text (B2). */
export const maximumRebuildBytes = 16 * 1024;
export const maximumRebuildsInEvidence = 32;
export const maximumRebuilders = 32;

/** Lower case and ASCII alone: two spellings of a name would be two voices (B3). */
export const rebuilderNameSchema = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/);

/** Who may say that a release reproduces: the operator, who is counted, and one of its keys (B3). */
export const rebuilderSchema = z.object({ name: rebuilderNameSchema, publicKey: publicKeySchema });
export type Rebuilder = Readonly<z.infer<typeof rebuilderSchema>>;

const sourceSchema = z.object({
  uri: z
    .string()
    .max(500)
    .regex(/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/),
  /** Digests by in-toto's names for them: at least one. */
  digest: z
    .object({
      gitCommit: z
        .string()
        .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)
        .optional(),
      sha256: sha256DigestSchema.optional(),
    })
    .refine(({ gitCommit, sha256 }) => gitCommit !== undefined || sha256 !== undefined, 'names no digest'),
});
export type RebuildSource = Readonly<z.infer<typeof sourceSchema>>;

const rebuildPredicateSchema = z.object({
  product: productIdSchema,
  version: versionSchema,
  /** The one thing that can be said: who got other bytes has nothing to say about this image. */
  result: z.literal('reproduced'),
  source: sourceSchema,
  /** Seconds since 1970. */
  rebuiltAt: z.int().min(0),
  /** What it was rebuilt with, for people. */
  environment: lineSchema(500),
});

export const rebuildStatementSchema = z.object({
  _type: z.literal(statementType),
  subject: z.array(z.object({ name: lineSchema(255), digest: z.object({ sha256: sha256DigestSchema }) })).length(1),
  predicateType: z.literal(rebuildPredicateType),
  predicate: rebuildPredicateSchema,
});
/** An in-toto Statement v1: this image came out of that source once more (B1). */
export type RebuildStatement = z.infer<typeof rebuildStatementSchema>;

/** A rebuild that has been read. Its signature is not verified before `verifyRebuild`. */
export type Rebuild = KeyedStatement & { readonly statement: RebuildStatement; readonly image: Sha256Digest };

const what = 'the rebuild';

/**
 * @throws FirmproofError `rebuild-malformed`, `attestation-malformed`, `attestation-payload-type`,
 *   `attestation-keyid-mismatch`, `attestation-not-logged`
 */
export function parseRebuild(text: string): Rebuild {
  const signed = parseSignedStatement(text, { maximumBytes: maximumRebuildBytes, what });
  if (signed.kind !== 'keyed') throw new FirmproofError('rebuild-malformed', 'a rebuild is signed with a key');
  const code = 'rebuild-malformed';
  const payload = utf8Text(payloadOf(signed.envelope), code, what);
  const statement = parseJson(payload, rebuildStatementSchema, { code, maximumBytes: maximumRebuildBytes, what });
  const image = statement.subject[0]?.digest.sha256;
  if (image === undefined) throw new FirmproofError(code, 'the rebuild is about no image');
  return { ...signed, statement, image };
}

/** What has been rebuilt, as the reader knows it from somewhere that it believes. */
export type RebuiltRelease = {
  readonly version: Version;
  readonly image: Sha256Digest;
  /** The key that signed the release's own attestation; null where it was signed without one. */
  readonly attestedBy: string | null;
};

/** What of a trust root says who is counted. */
export type RebuilderTrust = {
  readonly product: string;
  readonly buildKeys: readonly PublicKey[];
  readonly rebuilders?: readonly Rebuilder[] | undefined;
};

/**
 * The rebuilder whose word it is (B3, B4): named by the trust root, no build key, and about exactly this release.
 * @throws FirmproofError `rebuilder-unknown`, `rebuild-mismatch`, `attestation-signature-invalid`
 */
export function verifyRebuild(rebuild: Rebuild, trustRoot: RebuilderTrust, release: RebuiltRelease): Rebuilder {
  const rebuilder = trustRoot.rebuilders?.find(({ publicKey }) => keyIdOf(publicKey) === rebuild.hint);
  if (rebuilder === undefined)
    throw new FirmproofError('rebuilder-unknown', 'the rebuild is signed by a key that is no rebuilder of the product');
  if (rebuild.hint === release.attestedBy || trustRoot.buildKeys.includes(rebuilder.publicKey))
    throw new FirmproofError('rebuilder-unknown', 'the rebuild is signed by a build key, which vouches for itself');
  const { product, version } = rebuild.statement.predicate;
  if (product !== trustRoot.product) throw new FirmproofError('rebuild-mismatch', 'the rebuild is of another product');
  if (version !== release.version)
    throw new FirmproofError('rebuild-mismatch', `the rebuild is of ${version}, not of ${release.version}`);
  if (rebuild.image !== release.image)
    throw new FirmproofError('rebuild-mismatch', `the rebuild is of another image than that of ${version}`);
  requireSignedBy(rebuild, rebuilder.publicKey, what);
  return rebuilder;
}

/** A rebuild that counts, and whose it is. */
export type CountedRebuild = { readonly rebuilder: Rebuilder; readonly rebuild: Rebuild };

/**
 * The rebuilds that count, one of each operator (B3, B4); what is malformed, forged or about something else does not count.
 * At most `maximumRebuildsInEvidence` are looked at, and no name is looked at again once it counts.
 */
export function countedRebuilds(
  texts: readonly string[],
  trustRoot: RebuilderTrust,
  release: RebuiltRelease,
): readonly CountedRebuild[] {
  const counted = new Map<string, CountedRebuild>();
  for (const text of texts.slice(0, maximumRebuildsInEvidence)) {
    const found = verifiedOrNull(text, trustRoot, release, counted);
    if (found) counted.set(found.rebuilder.name, found);
  }
  return [...counted.values()];
}

function verifiedOrNull(
  text: string,
  trustRoot: RebuilderTrust,
  release: RebuiltRelease,
  counted: ReadonlyMap<string, unknown>,
): CountedRebuild | null {
  try {
    const rebuild = parseRebuild(text);
    const said = trustRoot.rebuilders?.find(({ publicKey }) => keyIdOf(publicKey) === rebuild.hint);
    if (said === undefined || counted.has(said.name)) return null;
    return { rebuilder: verifyRebuild(rebuild, trustRoot, release), rebuild };
  } catch (error) {
    if (isFirmproofError(error)) return null;
    throw error;
  }
}
