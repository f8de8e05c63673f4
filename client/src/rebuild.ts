import type { KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import {
  type CountedRebuild,
  countedRebuilds,
  type ErrorCode,
  FirmproofError,
  isFirmproofError,
  maximumRebuildsInEvidence,
  parseRebuild,
  type RebuilderTrust,
  type RebuildSource,
  type RebuildStatement,
  type RebuiltRelease,
  rebuildPredicateType,
  rebuildStatementSchema,
  statementType,
  type TrustRoot,
  verifyRebuild,
} from '@firmproof/protocol';
import { importImage } from '@firmproof/protocol/node';
import type { FirmproofClient, UploadProgress } from './api-client.ts';
import { signStatement } from './attest.ts';
import { sizeOfImage } from './image-file.ts';
import { attestationsOf } from './kept-statements.ts';

export type RebuildOptions = {
  readonly trustRoot: TrustRoot;
  /** As `recordedImage` has proved it. */
  readonly release: RebuiltRelease;
  readonly source: RebuildSource;
  readonly environment: string;
  readonly key: KeyObject;
};

/** A rebuild, signed and not sent yet. */
export type SignedRebuild = { readonly text: string; readonly statement: RebuildStatement; readonly rebuilder: string };

/**
 * Hashes what was rebuilt, compares it with what is recorded, and signs that it is the same. Sends nothing.
 * @throws FirmproofError `rebuild-differs`, `rebuilder-unknown` for a key that would not count, `file-not-found`
 */
export async function attestRebuild(
  imageFile: string,
  { trustRoot, release, source, environment, key }: RebuildOptions,
  onProgress?: UploadProgress,
): Promise<SignedRebuild> {
  const total = sizeOfImage(imageFile);
  const onHashed = onProgress && ((sizeBytes: number) => onProgress(sizeBytes, total));
  const stream = createReadStream(imageFile, { highWaterMark: 1 << 20 });
  const { digest } = await importImage(stream, onHashed ? { onProgress: onHashed } : {});
  if (digest !== release.image)
    throw new FirmproofError(
      'rebuild-differs',
      `${imageFile} has sha-256 ${digest}, the image of ${release.version} has ${release.image}`,
    );
  const statement: RebuildStatement = {
    _type: statementType,
    subject: [{ name: basename(imageFile), digest: { sha256: digest } }],
    predicateType: rebuildPredicateType,
    predicate: {
      product: trustRoot.product,
      version: release.version,
      result: 'reproduced',
      source,
      rebuiltAt: Math.floor(Date.now() / 1000),
      environment,
    },
  };
  const parsed = rebuildStatementSchema.safeParse(statement);
  if (!parsed.success)
    throw new FirmproofError('rebuild-malformed', 'name of the file or environment cannot be signed');
  const text = await signStatement(Buffer.from(JSON.stringify(parsed.data)), key);
  const { name } = verifyRebuild(parseRebuild(text), trustRoot, release);
  return { text, statement, rebuilder: name };
}

export type ListedRebuilds = {
  readonly counted: readonly CountedRebuild[];
  /** What the server has besides, which does not hold or is not counted again. */
  readonly passedOver: number;
  /** Why, and how many for each reason. */
  readonly reasons: ReadonlyMap<string, number>;
};

/** A rebuild that does not count: why not, in words; the code is null where its rebuilder is counted already. */
export type UncountedRebuild = { readonly code: ErrorCode | null; readonly message: string };

/** More than any server takes of one release. */
export const maximumRebuildsListed = 1024;

/** The rebuilds that count, verified here: never what the server says of them (B5). */
export async function listRebuilds(
  client: FirmproofClient,
  trustRoot: TrustRoot,
  release: RebuiltRelease,
): Promise<ListedRebuilds> {
  const texts = await attestationsOf(client.rebuilds(trustRoot.product, release.version), maximumRebuildsListed);
  const { counted, uncounted } = judgeRebuilds(texts, trustRoot, release);
  const reasons = new Map<string, number>();
  for (const { message } of uncounted) reasons.set(message, (reasons.get(message) ?? 0) + 1);
  return { counted, passedOver: uncounted.length, reasons };
}

/** Which of them count, one of each rebuilder, and why the others do not (B4). */
export function judgeRebuilds(
  texts: readonly string[],
  trustRoot: RebuilderTrust,
  release: RebuiltRelease,
): { readonly counted: readonly CountedRebuild[]; readonly uncounted: readonly UncountedRebuild[] } {
  const counted = new Map<string, CountedRebuild>();
  for (let from = 0; from < texts.length; from += maximumRebuildsInEvidence) {
    for (const one of countedRebuilds(texts.slice(from, from + maximumRebuildsInEvidence), trustRoot, release)) {
      const { name } = one.rebuilder;
      if (!counted.has(name)) counted.set(name, one);
    }
  }
  const taken = new Set([...counted.values()].map(({ rebuild }) => rebuild.text));
  const uncounted = texts.filter((text) => !taken.delete(text));
  return {
    counted: [...counted.values()],
    uncounted: uncounted.map((text) => whyNotCounted(text, trustRoot, release)),
  };
}

/** What does not hold, or that its rebuilder is counted once. */
function whyNotCounted(text: string, trustRoot: RebuilderTrust, release: RebuiltRelease): UncountedRebuild {
  try {
    const { name } = verifyRebuild(parseRebuild(text), trustRoot, release);
    return { code: null, message: `${name} is counted once` };
  } catch (error) {
    if (isFirmproofError(error)) return { code: error.code, message: error.message };
    throw error;
  }
}
