import {
  type Advisory,
  type AdvisoryPredicate,
  advisoryPredicateType,
  advisoryStatementSchema,
  describeIssues,
  FirmproofError,
  isFirmproofError,
  type KeylessMeans,
  newestRevisions,
  parseAdvisory,
  provenAdvisories,
  statementType,
  type TrustRoot,
  type Version,
  verifyAdvisory,
} from '@firmproof/protocol';
import type { FirmproofClient } from './api-client.ts';
import type { SignStatement } from './attest.ts';
import type { PreparedDocument } from './documents/prepare-documents.ts';
import { attestationsOf } from './kept-statements.ts';
import { keylessMeansOf, recordedImage } from './recorded-image.ts';

/** What an advisory says; its product, time and revision follow. */
export type AdvisoryDraft = Omit<AdvisoryPredicate, 'product' | 'revision' | 'publishedAt' | 'vex'>;

/** A server is read no further than this. */
export const maximumAdvisoriesListed = 2000;

/** As many as the server has, verified here; and how many statements of it do not hold. */
export type ListedAdvisories = { readonly advisories: readonly Advisory[]; readonly passedOver: number };

/**
 * The newest revision of each advisory, the most important ones first: only those that a build key or an identity of the trust
 * root has signed.
 */
export const listAdvisories = async (
  client: FirmproofClient,
  trustRoot: TrustRoot,
  version?: Version,
): Promise<ListedAdvisories> => verified(client, trustRoot, client.advisories(trustRoot.product, version));

/** All revisions of one advisory that hold, the highest first. @throws FirmproofError `advisory-not-found` */
export async function advisoryRevisions(
  client: FirmproofClient,
  trustRoot: TrustRoot,
  id: string,
): Promise<readonly Advisory[]> {
  const means = await keylessMeansOf(client, trustRoot);
  const texts = await attestationsOf(client.advisoryRevisions(trustRoot.product, id), maximumAdvisoriesListed);
  const revisions = (await provenAdvisories(texts, trustRoot, means))
    .filter(({ statement }) => statement.predicate.id === id)
    .sort((one, other) => other.statement.predicate.revision - one.statement.predicate.revision);
  if (revisions.length === 0)
    throw new FirmproofError('advisory-not-found', `nothing of ${id} that the server has is signed by this product`);
  return revisions;
}

async function verified(
  client: FirmproofClient,
  trustRoot: TrustRoot,
  items: AsyncIterable<{ readonly attestation: string }>,
): Promise<ListedAdvisories> {
  const means = await keylessMeansOf(client, trustRoot);
  const texts = await attestationsOf(items, maximumAdvisoriesListed);
  const { advisories } = await judgeAdvisories(texts, trustRoot, means);
  return { advisories, passedOver: texts.length - advisories.length };
}

/** The newest revision of each that holds, the most important ones first, and why the others do not hold (W3, W4). */
export async function judgeAdvisories(
  texts: readonly string[],
  trustRoot: TrustRoot,
  means: KeylessMeans,
): Promise<{ readonly advisories: readonly Advisory[]; readonly problems: readonly FirmproofError[] }> {
  const problems: FirmproofError[] = [];
  const proven = await provenAdvisories(texts, trustRoot, means, (problem) => problems.push(problem));
  return { advisories: newestRevisions([], proven, texts.length), problems };
}

/**
 * Signs the next revision of an advisory. The images of its versions are those that releases are proved to be about. Sends
 * nothing.
 * @param options.revision what it is to be; otherwise one more than the highest that the server shows
 * @throws FirmproofError `advisory-malformed`, `release-not-found` where none of the versions is a release, and what
 *   `recordedImage` and `verifyAdvisory` throw
 */
export async function signAdvisory(
  client: FirmproofClient,
  draft: AdvisoryDraft,
  options: {
    readonly trustRoot: TrustRoot;
    readonly sign: SignStatement;
    readonly revision?: number | undefined;
    readonly vex?: PreparedDocument | undefined;
  },
): Promise<Advisory> {
  const { trustRoot, vex } = options;
  const revision = options.revision ?? (await highestRevision(client, trustRoot, draft.id)) + 1;
  const statement = advisoryStatementSchema.safeParse({
    _type: statementType,
    subject: await subjectsOf(client, trustRoot, draft.versions),
    predicateType: advisoryPredicateType,
    predicate: {
      product: trustRoot.product,
      revision,
      publishedAt: Math.floor(Date.now() / 1000),
      ...draft,
      ...(vex && { vex: vex.document }),
    },
  });
  if (!statement.success) {
    const mistakes = describeIssues(statement.error);
    throw new FirmproofError('advisory-malformed', `the advisory is malformed: ${mistakes.join('; ')}`, {
      details: { mistakes },
      hint: 'See `firmproof advisory publish --help`.',
    });
  }
  const advisory = parseAdvisory(await options.sign(Buffer.from(JSON.stringify(statement.data))));
  await verifyAdvisory(advisory, trustRoot, await keylessMeansOf(client, trustRoot));
  return advisory;
}

/** Sends an advisory, and before it the document that it names. @throws FirmproofError `advisory-revision-old`, `server-lied` */
export async function sendAdvisory(
  client: FirmproofClient,
  advisory: Advisory,
  vex: PreparedDocument | undefined,
): Promise<void> {
  const { product } = advisory.statement.predicate;
  if (vex) {
    const said = await client.sendDocument(product, vex.bytes);
    if (said.digest !== vex.document.digest)
      throw new FirmproofError('server-lied', `the server says that it received another ${vex.document.name}`);
  }
  await client.publishAdvisory(product, advisory.text);
}

async function highestRevision(client: FirmproofClient, trustRoot: TrustRoot, id: string): Promise<number> {
  try {
    return (await advisoryRevisions(client, trustRoot, id))[0]?.statement.predicate.revision ?? 0;
  } catch (error) {
    if (isFirmproofError(error) && error.code === 'advisory-not-found') return 0;
    throw error;
  }
}

/** The images of those versions that are releases; a factory image may have none. */
async function subjectsOf(client: FirmproofClient, trustRoot: TrustRoot, versions: readonly Version[]) {
  const subjects = [];
  for (const name of versions) {
    const release = await recordedImage(client, trustRoot, name, null).catch(unlessNoRelease);
    if (release) subjects.push({ name, digest: { sha256: release.image } });
  }
  if (subjects.length === 0)
    throw new FirmproofError('release-not-found', `none of ${versions.join(', ')} is a release of this product`);
  return subjects;
}

function unlessNoRelease(error: unknown): null {
  if (isFirmproofError(error) && error.code === 'release-not-found') return null;
  throw error;
}
