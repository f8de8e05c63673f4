import { type Address, type Cid, type ProductId, parseSha256Digest, rawCidOf } from '@firmproof/protocol';
import type { Database } from '../database/database.ts';
import type { ImageStore, ReceivedImage } from './image-store.ts';

/** Which blocks belong to which product's images, and which of them the world may have. */
export function createImageAccess(database: Database, store: ImageStore) {
  return {
    /** Pins an image's blocks and its attestation. Done before the proposal exists, so a crash leaves nothing half-kept. */
    async pin(
      product: ProductId,
      image: ReceivedImage,
      attestation: { readonly digest: string; readonly text: string },
    ): Promise<void> {
      const attestationCid = rawCidOf(parseSha256Digest(attestation.digest));
      await store.put(attestationCid, new TextEncoder().encode(attestation.text));
      await database
        .insertInto('attestations')
        .values(attestation)
        .onConflict((conflict) => conflict.column('digest').doNothing())
        .execute();
      const row = { product, image: image.digest, open: 0 };
      const blocks = [
        ...image.blocks.map((cid) => ({ ...row, cid, attestation: null })),
        { ...row, cid: attestationCid, attestation: attestation.digest },
      ];
      await database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('images')
          .values({ digest: image.digest, product, cid: image.cid, size: String(image.sizeBytes), open: 0 })
          .onConflict((conflict) => conflict.columns(['digest', 'product']).doNothing())
          .execute();
        for (let start = 0; start < blocks.length; start += 500) {
          await transaction
            .insertInto('image_blocks')
            .values(blocks.slice(start, start + 500))
            .onConflict((conflict) => conflict.columns(['cid', 'product', 'image']).doNothing())
            .execute();
        }
      });
    },

    /**
     * Opens the images of releases that have become installable, and the attestations of those whose veto window is over: each with
     * its own release, for several may be of the same image, and the world may know why one was revoked.
     */
    async openInstallable(nowSeconds: number): Promise<void> {
      await database
        .updateTable('image_blocks')
        .set({ open: 1 })
        .where('open', '=', 0)
        .where('attestation', 'is not', null)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('releases')
              .select('releases.version')
              .whereRef('releases.attestation', '=', 'image_blocks.attestation')
              .whereRef('releases.product', '=', 'image_blocks.product')
              .where('releases.installable_from', '<=', nowSeconds),
          ),
        )
        .execute();
      const due = await database
        .selectFrom('images')
        .innerJoin('releases', (join) =>
          join.onRef('releases.image', '=', 'images.digest').onRef('releases.product', '=', 'images.product'),
        )
        .select(['images.digest', 'images.product'])
        .where('images.open', '=', 0)
        .where('releases.installable_from', '<=', nowSeconds)
        .where('releases.status', '=', 1)
        .execute();
      for (const { digest, product } of due) {
        await database.transaction().execute(async (transaction) => {
          await transaction
            .updateTable('image_blocks')
            .set({ open: 1 })
            .where('image', '=', digest)
            .where('product', '=', product)
            .where('attestation', 'is', null)
            .execute();
          await transaction
            .updateTable('images')
            .set({ open: 1 })
            .where('digest', '=', digest)
            .where('product', '=', product)
            .execute();
        });
      }
    },

    /** `reader` is the publisher whose token the request carries, if any. */
    async mayRead(cid: Cid, reader: () => Promise<Address | null>): Promise<boolean> {
      const rows = await database
        .selectFrom('image_blocks')
        .leftJoin('products', 'products.id', 'image_blocks.product')
        .select(['image_blocks.open', 'products.publisher'])
        .where('image_blocks.cid', '=', cid)
        .execute();
      if (rows.some((row) => row.open === 1)) return true;
      if (rows.length === 0) return false;
      const publisher = await reader();
      return publisher !== null && rows.some((row) => row.publisher === publisher);
    },

    /** Forgets images that neither a release nor a living proposal wants. */
    async dropUnused(): Promise<void> {
      const wanted = database
        .selectFrom('releases')
        .select('image')
        .union(
          database
            .selectFrom('proposals')
            .select((column) => column.fn.coalesce('image_digest', column.val('')).as('image'))
            .where('state', 'not in', ['rejected', 'expired']),
        );
      await database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('image_blocks').where('image', 'not in', wanted).execute();
        await transaction.deleteFrom('images').where('digest', 'not in', wanted).execute();
      });
    },

    async pinned(): Promise<ReadonlySet<string>> {
      const rows = await database.selectFrom('image_blocks').select('cid').distinct().execute();
      return new Set(rows.map((row) => row.cid));
    },
  };
}

export type ImageAccess = ReturnType<typeof createImageAccess>;
