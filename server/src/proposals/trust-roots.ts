import {
  type Envelope,
  FirmproofError,
  type KeylessMeans,
  type ProductId,
  productIdSchema,
  requireSigstoreRoot,
  type Sha256Digest,
  type TrustRoot,
  trustRootOfEnvelope,
} from '@firmproof/protocol';
import { keylessVerifier, requireUsableSigstoreRoot } from '@firmproof/protocol/node/keyless-verifier';
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

  /** The Sigstore trusted root that a trust root names; undefined where it names none, or this server lacks it. */
  async function sigstoreRootOf({ sigstore }: TrustRoot): Promise<string | undefined> {
    if (sigstore === undefined) return undefined;
    const row = await database
      .selectFrom('sigstore_roots')
      .select('text')
      .where('digest', '=', sigstore.trustedRoot)
      .executeTakeFirst();
    return row?.text;
  }

  return {
    chainTo,

    sigstoreRootOf,

    /** @throws FirmproofError `trust-root-mismatch` when the document is not here */
    async byDigest(digest: string): Promise<TrustRoot> {
      const found = await rowOf(digest);
      if (found) return trustRootOfEnvelope(JSON.parse(found.envelope));
      throw new FirmproofError('trust-root-mismatch', 'this server does not have the trust root that the chain names');
    },

    /** What the attestations of a product are verified with, besides its trust root. */
    async keylessMeans(root: TrustRoot): Promise<KeylessMeans> {
      return { verifier: keylessVerifier, trustedRoot: await sigstoreRootOf(root) };
    },

    /**
     * A trust root that names identities needs its Sigstore trusted root, sent along or known from before.
     * @throws FirmproofError `sigstore-root-missing`, `sigstore-root-mismatch`, `sigstore-root-malformed`
     */
    async requireComplete(root: TrustRoot, sent: string | undefined): Promise<void> {
      if (root.sigstore === undefined) return;
      await requireUsableSigstoreRoot(requireSigstoreRoot(root.sigstore, sent ?? (await sigstoreRootOf(root))));
    },

    /**
     * Keeps a root whose step from `previous` has been verified, and the Sigstore trusted root that was sent with it, which has
     * passed `requireComplete`.
     */
    async keep(root: TrustRoot, previous: TrustRoot | null, sent: string | undefined): Promise<void> {
      const { digest, product, version, envelope, sigstore } = root;
      if (sigstore && sent !== undefined) {
        await database
          .insertInto('sigstore_roots')
          .values({ digest: sigstore.trustedRoot, text: sent })
          .onConflict((conflict) => conflict.column('digest').doNothing())
          .execute();
      }
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
