import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Documents about releases: which are here, of which blocks they are, and which attestation names them. */
export const documents: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('documents')
      .addColumn('digest', 'text', (c) => c.notNull())
      .addColumn('product', 'text', (c) => c.notNull())
      .addColumn('cid', 'text', (c) => c.notNull())
      .addColumn('size', 'bigint', (c) => c.notNull())
      .addColumn('received_at', 'bigint', (c) => c.notNull())
      .addColumn('open', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('documents_key', ['digest', 'product'])
      .execute();
    await db.schema
      .createTable('document_blocks')
      .addColumn('cid', 'text', (c) => c.notNull())
      .addColumn('product', 'text', (c) => c.notNull())
      .addColumn('document', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('document_blocks_key', ['cid', 'product', 'document'])
      .execute();
    await db.schema
      .createTable('release_documents')
      .addColumn('attestation', 'text', (c) => c.notNull())
      .addColumn('product', 'text', (c) => c.notNull())
      .addColumn('document', 'text', (c) => c.notNull())
      .addColumn('image', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('release_documents_key', ['attestation', 'product', 'document'])
      .execute();
    await db.schema
      .createIndex('release_documents_document')
      .on('release_documents')
      .columns(['product', 'document'])
      .execute();
  },
};
