import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The raw events of each product, for auditors, and the transactions that they have asked for. */
export const auditTables: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('events')
      .addColumn('product', 'text', (c) => c.notNull())
      .addColumn('sequence', 'bigint', (c) => c.notNull())
      .addColumn('topics', 'text', (c) => c.notNull())
      .addColumn('data', 'text', (c) => c.notNull())
      .addColumn('block_number', 'bigint', (c) => c.notNull())
      .addColumn('block_hash', 'text', (c) => c.notNull())
      .addColumn('transaction_hash', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('events_key', ['product', 'sequence'])
      .execute();
    await db.schema
      .createTable('event_transactions')
      .addColumn('hash', 'text', (c) => c.primaryKey())
      .addColumn('document', 'text', (c) => c.notNull())
      .execute();
    // The index is made anew from the chain, so that the events are filled.
    for (const table of ['products', 'heads', 'releases', 'product_histories', 'anchored_batches', 'revoked_devices'])
      await sql`DELETE FROM ${sql.table(table)}`.execute(db);
    await sql`DELETE FROM meta WHERE key = 'indexed-block'`.execute(db);
  },
};
