import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What a device has installed is kept for longer than that it is alive. */
export const outcomes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('device_receipts')
      .addColumn('kind', 'text', (c) => c.notNull().defaultTo('heartbeat'))
      .execute();
    // The body is JSON as its device has written it: spaces, if any, are its own.
    await sql`UPDATE device_receipts SET kind = 'outcome' WHERE body LIKE '%"outcome"%"before"%'`.execute(db);
    await db.schema
      .createIndex('device_receipts_kind')
      .on('device_receipts')
      .columns(['product', 'kind', 'key_digest', 'counter', 'digest'])
      .execute();
  },
};
