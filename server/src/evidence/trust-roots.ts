import {
  type Envelope,
  FirmproofError,
  type ProductId,
  productIdSchema,
  type Sha256Digest,
  type TrustRoot,
  trustRootOfEnvelope,
} from '@firmproof/protocol';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';

export const productMoved = (successor: ProductId) =>
  new FirmproofError('product-moved', `the product is ${successor} now`, { details: { successor } });

export type TrustRoots = ReturnType<typeof createTrustRoots>;

/**
 * The trust root documents that this server has, each with the one that it steps from: versions alone are no chain, since a
 * proposed root may be vetoed and another take its number, and a product that moves takes its chain to another id.
 */
export function createTrustRoots(database: Database) {
  const rowOf = (digest: string) =>
    database.selectFrom('trust_roots').selectAll().where('digest', '=', digest).executeTakeFirst();

  /** All roots up to this one, oldest first; empty when it is not here. */
  async function chainTo(digest: string): Promise<readonly Tables['trust_roots'][]> {
    const chain: Tables['trust_roots'][] = [];
    for (let next: string | null = digest; next !== null; ) {
      const row = await rowOf(next);
      if (!row) return [];
      chain.unshift(row);
      next = row.previous;
    }
    return chain;
  }

  /** Products of this registry whose chains lead away from the given one: the roots that follow on its own. */
  async function successorsOf(product: string): Promise<readonly Tables['products'][]> {
    const found = new Map<string, Tables['products']>();
    let digests = await digestsOf(product);
    while (digests.length > 0) {
      const children = await database.selectFrom('trust_roots').selectAll().where('previous', 'in', digests).execute();
      const ids = [...new Set(children.map((child) => child.product))].filter((id) => id !== product);
      const rows =
        ids.length === 0 ? [] : await database.selectFrom('products').selectAll().where('id', 'in', ids).execute();
      for (const row of rows) {
        const chain = await chainTo(row.trust_root);
        if (chain.some((root) => root.product === product)) found.set(row.id, row);
      }
      digests = children.filter((child) => !found.has(child.product)).map((child) => child.digest);
    }
    return [...found.values()].sort((a, b) => Number(a.position) - Number(b.position));
  }

  async function digestsOf(product: string): Promise<string[]> {
    const rows = await database.selectFrom('trust_roots').select('digest').where('product', '=', product).execute();
    return rows.map((row) => row.digest);
  }

  return {
    chainTo,

    async find(digest: string): Promise<TrustRoot | null> {
      const row = await rowOf(digest);
      return row ? trustRootOfEnvelope(JSON.parse(row.envelope)) : null;
    },

    /** Keeps a root whose step from `previous` has been verified. */
    async keep(root: TrustRoot, previous: TrustRoot | null): Promise<void> {
      const { digest, product, version, envelope } = root;
      const step = { previous: previous?.digest ?? null };
      await database
        .insertInto('trust_roots')
        .values({ digest, product, version, envelope: JSON.stringify(envelope), ...step })
        .onConflict((conflict) => conflict.column('digest').doUpdateSet(step))
        .execute();
    },

    /** Where the product has gone, as far as this server knows: nothing that a device would believe. */
    async successorOf(product: ProductId): Promise<ProductId | null> {
      const [first] = await successorsOf(product);
      return first ? productIdSchema.parse(first.id) : null;
    },

    /**
     * The roots of a product up to the one that the chain has adopted, and of one that has moved here up to its successor's.
     * Anybody may claim to succeed a product; `after`, the root that the caller holds, tells which claim is meant.
     */
    async published(product: ProductId, after: Sha256Digest | null): Promise<readonly Envelope[]> {
      const own = await database.selectFrom('products').selectAll().where('id', '=', product).execute();
      for (const row of own.length > 0 ? own : await successorsOf(product)) {
        const chain = await chainTo(row.trust_root);
        const held = after === null ? -1 : chain.findIndex((root) => root.digest === after);
        if (after === null || held >= 0) return chain.slice(held + 1).map((root) => JSON.parse(root.envelope));
      }
      return [];
    },
  };
}
