import { randomInt } from 'node:crypto';
import {
  type Cid,
  dagPbCodec,
  isFirmproofError,
  parseAttestation,
  parseCid,
  partsOfCid,
  type ReleasePredicate,
  type Version,
} from '@firmproof/protocol';
import type { ProductHistory, ReleaseHistory } from '@firmproof/protocol/audit';
import * as dagPb from '@ipld/dag-pb';
import { type ContentSource, maximumBlocks } from '../../audit/content-source.ts';
import type { Condition } from '../conditions.ts';

/** How many of the newest releases are looked at, beside the heads of all channels. */
const newestReleases = 5;

/** The heads of all channels and the newest releases: what somebody is most likely to ask for. */
export function releasesInUse({ releases, channels }: ProductHistory): ReadonlySet<ReleaseHistory> {
  const heads = [...channels.values()].map(({ version }) => releases.get(version));
  const newest = [...releases.values()].slice(-newestReleases);
  return new Set([...heads, ...newest].filter((release) => release !== undefined));
}

/** Before the end of its veto window nobody has to give it, and what is revoked nobody asks for. */
export const isToBeHad = ({ revoked, installableFrom }: ReleaseHistory, now: number): boolean =>
  revoked === null && installableFrom <= now;

/** The releases that conditions of content are about, by their subjects. */
export const versionsOf = (subjects: ReadonlySet<string>): ReadonlySet<Version> =>
  new Set([...subjects].map((about) => about.slice(0, about.indexOf(' ')) as Version));

/** Releases whose content somebody may ask for now: those in use, and those of which something was missing. */
export function releasesToLookAt(
  history: ProductHistory,
  lost: ReadonlySet<string>,
  now: number,
): readonly ReleaseHistory[] {
  const missing = versionsOf(lost);
  const missed = [...history.releases.values()].filter(({ version }) => missing.has(version));
  return [...new Set([...releasesInUse(history), ...missed])].filter((release) => isToBeHad(release, now));
}

/**
 * Looks whether a release can be had: its attestation, and the trees of its image and documents, are fetched and hashed, and so
 * many blocks of each, chosen anew each time. What one source lacks, the next is asked for.
 */
export async function lookAtContent(
  release: ReleaseHistory,
  sources: readonly ContentSource[],
  blocks: number,
  patienceSeconds: number,
): Promise<readonly Condition[]> {
  const { version } = release;
  const missing = (code: 'attestation-missing' | 'content-missing' | 'document-missing', what: string): Condition => ({
    code,
    severity: 'bad',
    subject: `${version} ${what}`,
    version,
    message: `no source has ${what} of ${version}: ${sources.map(({ label }) => label).join(', ')}`,
    patienceSeconds,
  });
  const text = await attestationFrom(sources, release);
  if (text === null) return [missing('attestation-missing', 'the attestation')];
  let predicate: ReleasePredicate;
  try {
    ({ predicate } = parseAttestation(text).statement);
  } catch (error) {
    // The chain holds its digest, so that is what was published: whoever verifies it tells that.
    if (isFirmproofError(error)) return [];
    throw error;
  }
  const found: Condition[] = [];
  const isWhole = async (content: Content) => (await firstLostBlock(content, sources, blocks)) === null;
  if (!(await isWhole(predicate.image))) found.push(missing('content-missing', 'the whole image'));
  for (const document of predicate.documents ?? []) {
    if (!(await isWhole(document))) found.push(missing('document-missing', `the document ${document.name}`));
  }
  return found;
}

/** Only the one that was recorded counts. null where no source has it. */
export const attestationFrom = (
  sources: readonly ContentSource[],
  { attestation }: ReleaseHistory,
): Promise<string | null> => first(sources, (source) => source.attestation(attestation));

type Content = { readonly cid: Cid; readonly sizeBytes: number };

/**
 * The first block that no source has, or at which a tree has more blocks than a file of its size: whoever signs a statement may name
 * a tree without an end, which must not keep the monitor from everything else. Of leaves only a sample is asked for.
 */
export async function firstLostBlock(
  { cid: root, sizeBytes }: Content,
  sources: readonly ContentSource[],
  blocks: number,
): Promise<Cid | null> {
  const leaves: Cid[] = [];
  const nodes: Cid[] = [root];
  let found = 0;
  for (let cid = nodes.pop(); cid !== undefined; cid = nodes.pop()) {
    found += 1;
    if (found > maximumBlocks(sizeBytes)) return cid;
    if (partsOfCid(cid).codec !== dagPbCodec) {
      leaves.push(cid);
      continue;
    }
    const bytes = await blockFrom(sources, cid);
    if (bytes === null) return cid;
    nodes.push(...linksOf(bytes));
  }
  for (const leaf of sample(leaves, blocks)) if ((await blockFrom(sources, leaf)) === null) return leaf;
  return null;
}

/** As the hash fits, it is what was published. */
function linksOf(bytes: Uint8Array): readonly Cid[] {
  try {
    return dagPb.decode(bytes).Links.map(({ Hash }) => parseCid(Hash.toString()));
  } catch {
    return [];
  }
}

const blockFrom = (sources: readonly ContentSource[], cid: Cid) => first(sources, (source) => source.block(cid));

/** From the first source that has it; null where none has. */
async function first<Value>(
  sources: readonly ContentSource[],
  ask: (source: ContentSource) => Promise<Value | null>,
): Promise<Value | null> {
  for (const source of sources) {
    try {
      const answer = await ask(source);
      if (answer !== null) return answer;
    } catch (error) {
      if (!isFirmproofError(error)) throw error;
    }
  }
  return null;
}

/** So many of them, each as likely as the others. */
function sample<Item>(items: readonly Item[], count: number): readonly Item[] {
  const pool = [...items];
  const chosen: Item[] = [];
  while (chosen.length < count && pool.length > 0) {
    const index = randomInt(pool.length);
    const item = pool[index];
    const last = pool.pop();
    if (item !== undefined) chosen.push(item);
    if (index < pool.length && last !== undefined) pool[index] = last;
  }
  return chosen;
}
