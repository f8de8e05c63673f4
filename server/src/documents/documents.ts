import {
  type Address,
  type Cid,
  cidSchema,
  FirmproofError,
  type ProductId,
  type ReleasePredicate,
  type Sha256Digest,
} from '@firmproof/protocol';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { ImageStore, ReceivedImage } from '../images/image-store.ts';

/** How long a document is kept for the release that will name it. */
const unnamedSeconds = 86_400;
/** Whether no release and no living proposal names a row of `documents`. */
const isInNoRelease = sql<boolean>`not exists (select 1 from release_documents
  where release_documents.document = documents.digest and release_documents.product = documents.product)`;
/** Of one product, so that nobody fills the table with documents of one byte. */
const maximumUnnamed = 1000;

export type Documents = ReturnType<typeof createDocuments>;
type Row = Tables['documents'];
export type KeptDocument = { readonly digest: string; readonly cid: Cid; readonly isOpen: boolean };

/** Documents about releases, kept in the block store beside the images and under the same rules (R9.8). */
export function createDocuments(options: {
  readonly database: Database;
  readonly store: ImageStore;
  readonly nowSeconds: () => number;
}) {
  const { database, nowSeconds } = options;

  const rowsOf = (product: ProductId) => database.selectFrom('documents').selectAll().where('product', '=', product);
  const kept = ({ digest, cid, open }: Row): KeptDocument => ({
    digest,
    cid: cidSchema.parse(cid),
    isOpen: open === 1,
  });

  return {
    /** Where its blocks are. */
    store: options.store,

    /** @throws FirmproofError `quota-exceeded` while too many documents of the product wait for a release that names them */
    async requireRoom(product: ProductId): Promise<void> {
      const { count } = await database
        .selectFrom('documents')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('product', '=', product)
        .where(isInNoRelease)
        .executeTakeFirstOrThrow();
      if (Number(count) >= maximumUnnamed)
        throw new FirmproofError('quota-exceeded', `${maximumUnnamed} documents of this product are in no release`);
    },

    /** Keeps a document for a day, and from then on as long as a release or a living proposal names it. */
    async pin(product: ProductId, received: ReceivedImage): Promise<void> {
      const { digest, cid, sizeBytes, blocks } = received;
      const row = { digest, product, cid, size: sizeBytes, received_at: nowSeconds(), open: 0 };
      await database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('documents')
          .values(row)
          .onConflict((conflict) =>
            conflict.columns(['digest', 'product']).doUpdateSet({ received_at: row.received_at }),
          )
          .execute();
        await transaction
          .insertInto('document_blocks')
          .values(blocks.map((block) => ({ cid: block, product, document: digest })))
          .onConflict((conflict) => conflict.columns(['cid', 'product', 'document']).doNothing())
          .execute();
      });
    },

    /**
     * What a statement names must be here, exactly as it says (R9.7, R9.8).
     * @throws FirmproofError `document-missing`, `document-mismatch`
     */
    async requireNamed(
      product: ProductId,
      { documents = [], sbom }: Pick<ReleasePredicate, 'documents' | 'sbom'>,
    ): Promise<void> {
      const isOneOfThem = documents.some(({ kind, digest }) => kind === 'sbom' && digest === sbom?.digest);
      if (sbom && documents.some(({ kind }) => kind === 'sbom') && !isOneOfThem)
        throw new FirmproofError('document-mismatch', 'sbom of the statement is none of its documents');
      if (documents.length === 0) return;
      const rows = await rowsOf(product)
        .where('digest', 'in', [...new Set(documents.map(({ digest }) => digest))])
        .execute();
      for (const { digest, cid, sizeBytes, name } of documents) {
        const row = rows.find((candidate) => candidate.digest === digest);
        if (row === undefined)
          throw new FirmproofError(
            'document-missing',
            `the statement names ${name} (sha-256 ${digest}), which is not here`,
          );
        if (Number(row.size) !== sizeBytes || row.cid !== cid)
          throw new FirmproofError(
            'document-mismatch',
            `the statement says another size or CID of ${name} than it has`,
          );
      }
    },

    /** Ties documents to the attestation that names them. Done before the proposal exists. */
    async name(
      product: ProductId,
      attestation: Sha256Digest,
      image: Sha256Digest,
      { documents = [] }: ReleasePredicate,
    ): Promise<void> {
      const digests = [...new Set(documents.map(({ digest }) => digest))];
      if (digests.length === 0) return;
      await database
        .insertInto('release_documents')
        .values(digests.map((document) => ({ attestation, product, document, image })))
        .onConflict((conflict) => conflict.columns(['attestation', 'product', 'document']).doNothing())
        .execute();
    },

    /** Opens a document that an advisory names: it is about what is out already. */
    async open(product: ProductId, digest: Sha256Digest): Promise<void> {
      await database
        .updateTable('documents')
        .set({ open: 1 })
        .where('product', '=', product)
        .where('digest', '=', digest)
        .execute();
    },

    /** Opens the documents of releases that have become installable. */
    async openInstallable(atSeconds: number): Promise<void> {
      await database
        .updateTable('documents')
        .set({ open: 1 })
        .where('open', '=', 0)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('release_documents')
              .innerJoin('releases', (join) =>
                join
                  .onRef('releases.attestation', '=', 'release_documents.attestation')
                  .onRef('releases.product', '=', 'release_documents.product'),
              )
              .select('release_documents.document')
              .whereRef('release_documents.document', '=', 'documents.digest')
              .whereRef('release_documents.product', '=', 'documents.product')
              .where('releases.installable_from', '<=', atSeconds)
              .where('releases.status', '=', 1),
          ),
        )
        .execute();
    },

    async find(product: ProductId, digest: Sha256Digest): Promise<KeptDocument | null> {
      const row = await rowsOf(product).where('digest', '=', digest).executeTakeFirst();
      return row === undefined ? null : kept(row);
    },

    /** One that this attestation names. */
    async findNamed(attestation: Sha256Digest, digest: Sha256Digest): Promise<KeptDocument | null> {
      const row = await database
        .selectFrom('release_documents')
        .innerJoin('documents', (join) =>
          join
            .onRef('documents.digest', '=', 'release_documents.document')
            .onRef('documents.product', '=', 'release_documents.product'),
        )
        .selectAll('documents')
        .where('release_documents.attestation', '=', attestation)
        .where('documents.digest', '=', digest)
        .executeTakeFirst();
      return row === undefined ? null : kept(row);
    },

    /** Whether this caller may have the block; `reader` is the publisher whose token the request carries, if any. */
    async mayRead(cid: Cid, reader: () => Promise<Address | null>): Promise<boolean> {
      const rows = await database
        .selectFrom('document_blocks')
        .innerJoin('documents', (join) =>
          join
            .onRef('documents.digest', '=', 'document_blocks.document')
            .onRef('documents.product', '=', 'document_blocks.product'),
        )
        .leftJoin('products', 'products.id', 'document_blocks.product')
        .select(['documents.open', 'products.publisher'])
        .where('document_blocks.cid', '=', cid)
        .execute();
      if (rows.some((row) => row.open === 1)) return true;
      if (rows.length === 0) return false;
      const publisher = await reader();
      return publisher !== null && rows.some((row) => row.publisher === publisher);
    },

    /** Forgets documents that neither a release, a living proposal nor an advisory names, once they have waited for a day. */
    async dropUnused(): Promise<void> {
      await database.transaction().execute(async (transaction) => {
        await transaction
          .deleteFrom('release_documents')
          .where('attestation', 'not in', transaction.selectFrom('releases').select('attestation'))
          .where(
            'image',
            'not in',
            transaction
              .selectFrom('proposals')
              .select((column) => column.fn.coalesce('image_digest', column.val('')).as('image'))
              .where('state', 'not in', ['rejected', 'expired']),
          )
          .execute();
        await transaction
          .deleteFrom('documents')
          .where('received_at', '<', nowSeconds() - unnamedSeconds)
          .where(isInNoRelease)
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom('advisories')
                  .select('vex')
                  .whereRef('advisories.vex', '=', 'documents.digest')
                  .whereRef('advisories.product', '=', 'documents.product'),
              ),
            ),
          )
          .execute();
        await transaction
          .deleteFrom('document_blocks')
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom('documents')
                  .select('digest')
                  .whereRef('documents.digest', '=', 'document_blocks.document')
                  .whereRef('documents.product', '=', 'document_blocks.product'),
              ),
            ),
          )
          .execute();
      });
    },

    async pinned(): Promise<readonly string[]> {
      const rows = await database.selectFrom('document_blocks').select('cid').distinct().execute();
      return rows.map((row) => row.cid);
    },
  };
}
