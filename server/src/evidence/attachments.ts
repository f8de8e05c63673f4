import { type Evidence, type ProductId, readTrustRoot, sha256, type TrustRoot } from '@firmproof/protocol';
import type { Database } from '../database/database.ts';
import type { TrustRoots } from '../proposals/trust-roots.ts';
import type { Advisories } from '../said-later/advisories.ts';
import type { Rebuilds } from '../said-later/rebuilds.ts';
import type { Proven } from './prover.ts';

/** What evidence carries besides proofs: what was signed about a product later (B5, W5). */
export type Attachments = {
  readonly members: Pick<Evidence, 'rebuilds' | 'advisories'>;
  /** Changes whenever they do; empty where there are none. */
  readonly tag: string;
};
export type AttachmentsOf = (product: ProductId, proven: Pick<Proven, 'release' | 'trustRoot'>) => Promise<Attachments>;

export function createAttachments(options: {
  readonly database: Database;
  readonly trustRoots: TrustRoots;
  readonly rebuilds: Rebuilds;
  readonly advisories: Advisories;
}): AttachmentsOf {
  const { database, trustRoots, rebuilds, advisories } = options;
  const computed = new Map<string, { readonly key: string; readonly attachments: Attachments }>();

  /** Both tables only grow, so their size says whether there is anything new. */
  async function sizes(product: ProductId): Promise<readonly number[]> {
    return Promise.all(
      (['rebuilds', 'advisories'] as const).map(async (table) => {
        const query = database.selectFrom(table).select(({ fn }) => fn.countAll().as('count'));
        return Number((await query.where('product', '=', product).executeTakeFirstOrThrow()).count);
      }),
    );
  }

  /** The root that devices of this product verify with: of one that has moved, the last before. */
  async function rootOf(product: ProductId, named: string): Promise<TrustRoot | null> {
    const row = (await trustRoots.chainTo(named)).findLast((root) => root.product === product);
    return row ? readTrustRoot(JSON.parse(row.envelope)) : null;
  }

  async function attachmentsOf(product: ProductId, version: string | undefined, named: string): Promise<Attachments> {
    const root = await rootOf(product, named);
    if (root === null) return none;
    const members = {
      ...some('rebuilds', version === undefined ? [] : await rebuilds.forEvidence(product, version, () => root)),
      ...some('advisories', await advisories.forEvidence(product, () => root)),
    };
    return { members, tag: Object.keys(members).length === 0 ? '' : tagOf(members) };
  }

  return async (product, { release, trustRoot }) => {
    const counts = await sizes(product);
    if (counts.every((count) => count === 0)) return none;
    const place = `${product} ${release?.version ?? ''}`;
    const key = `${trustRoot} ${counts.join(' ')}`;
    const before = computed.get(place);
    if (before?.key === key) return before.attachments;
    const attachments = await attachmentsOf(product, release?.version, trustRoot);
    if (computed.size >= maximumComputed) computed.clear();
    computed.set(place, { key, attachments });
    return attachments;
  };
}

/** So many heads are remembered; they are computed again otherwise. */
const maximumComputed = 1000;
const none: Attachments = { members: {}, tag: '' };

const some = (name: 'rebuilds' | 'advisories', texts: readonly string[]) =>
  texts.length === 0 ? {} : { [name]: [...texts] };

const tagOf = (members: object): string => sha256(new TextEncoder().encode(JSON.stringify(members))).slice(0, 16);

const separator = '.';

/** The ETag of evidence: what a device would decide by the proofs, and what is attached. */
export const etagOf = (decision: string, { tag }: Attachments): string =>
  tag === '' ? decision : `${decision}${separator}${tag}`;

/** The part of an ETag that proofs have decided. */
export const decisionOfEtag = (etag: string): string => etag.split(separator)[0] ?? '';

/** The document with other attachments. */
export function attach(document: string, { members }: Attachments): string {
  const { rebuilds: _rebuilds, advisories: _advisories, ...rest } = JSON.parse(document) as Evidence;
  return JSON.stringify({ ...rest, ...members });
}
