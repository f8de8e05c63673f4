import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

const text = 'text' as const;
const bigint = 'bigint' as const;

/** Rebuilds and advisories, as they were signed. They are no part of the index: the chain does not know them. */
export const saidLater: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('rebuilds')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('version', text, (c) => c.notNull())
      .addColumn('payload', text, (c) => c.notNull())
      .addColumn('key_id', text, (c) => c.notNull())
      .addColumn('text', text, (c) => c.notNull())
      .addColumn('received_at', bigint, (c) => c.notNull())
      .addPrimaryKeyConstraint('rebuilds_key', ['product', 'version', 'payload', 'key_id'])
      .execute();
    await db.schema
      .createTable('advisories')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('id', text, (c) => c.notNull())
      .addColumn('revision', bigint, (c) => c.notNull())
      .addColumn('payload', text, (c) => c.notNull())
      .addColumn('key_id', text, (c) => c.notNull())
      .addColumn('versions', text, (c) => c.notNull())
      .addColumn('vex', text)
      .addColumn('text', text, (c) => c.notNull())
      .addColumn('received_at', bigint, (c) => c.notNull())
      .addPrimaryKeyConstraint('advisories_key', ['product', 'id', 'revision', 'payload', 'key_id'])
      .execute();
  },
};
