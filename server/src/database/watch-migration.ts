import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const text = 'text' as const;
const bigint = 'bigint' as const;

/** Tokens with names and roles, the log of the server, and webhooks with their outbox. */
export const watch: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const table = (name: string) => db.schema.createTable(name);
    const addToken = (name: string, type: typeof text | typeof bigint, fallback?: string | number) =>
      db.schema
        .alterTable('tokens')
        .addColumn(name, type, (c) => (fallback === undefined ? c : c.notNull().defaultTo(fallback)))
        .execute();
    await addToken('id', text, '');
    await addToken('label', text);
    await addToken('origin', text, 'login');
    await addToken('created_at', bigint, 0);
    await addToken('last_used_at', bigint);
    // Until now a login was for everything but what has come since.
    await sql`UPDATE tokens SET id = substr(hash, 1, 16),
      scopes = CASE scopes WHEN 'publish' THEN 'publish,read-receipts' ELSE scopes END,
      origin = CASE WHEN product IS NULL THEN 'login' ELSE 'identity' END`.execute(db);
    await db.schema.createIndex('tokens_publisher').on('tokens').column('publisher').execute();

    await table('server_starts')
      .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('time', bigint, (c) => c.notNull())
      .addColumn('details', text, (c) => c.notNull())
      .execute();
    await table('server_logs')
      .addColumn('owner', text, (c) => c.primaryKey())
      .addColumn('entries', bigint, (c) => c.notNull())
      .addColumn('hash', text, (c) => c.notNull())
      .addColumn('last_start', bigint, (c) => c.notNull())
      .execute();
    await table('server_log_entries')
      .addColumn('owner', text, (c) => c.notNull())
      .addColumn('position', bigint, (c) => c.notNull())
      .addColumn('document', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('server_log_entries_key', ['owner', 'position'])
      .execute();

    await table('webhooks')
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('publisher', text, (c) => c.notNull())
      .addColumn('url', text, (c) => c.notNull())
      .addColumn('events', text, (c) => c.notNull())
      .addColumn('secret', text, (c) => c.notNull())
      .addColumn('previous_secret', text)
      .addColumn('previous_secret_until', bigint)
      .addColumn('disabled_reason', text)
      .addColumn('failing_since', bigint)
      .addColumn('from_block', bigint, (c) => c.notNull())
      .addColumn('created_at', bigint, (c) => c.notNull())
      .execute();
    await db.schema.createIndex('webhooks_publisher').on('webhooks').column('publisher').execute();
    await table('webhook_messages')
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('publisher', text, (c) => c.notNull())
      .addColumn('product', text)
      .addColumn('type', text, (c) => c.notNull())
      .addColumn('body', text, (c) => c.notNull())
      .addColumn('created_at', bigint, (c) => c.notNull())
      .addColumn('sequence', bigint)
      .addColumn('history', text)
      .addColumn('withdrawn', 'integer', (c) => c.notNull())
      .execute();
    await table('webhook_sequences')
      .addColumn('publisher', text, (c) => c.primaryKey())
      .addColumn('last', bigint, (c) => c.notNull())
      .execute();
    await table('webhook_deliveries')
      .addColumn('position', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('id', text, (c) => c.notNull().unique())
      .addColumn('webhook', text, (c) => c.notNull())
      .addColumn('message', text, (c) => c.notNull())
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('next_attempt_at', bigint, (c) => c.notNull())
      .addColumn('first_attempt_at', bigint)
      .addColumn('attempt_count', bigint, (c) => c.notNull())
      .addColumn('attempts', text, (c) => c.notNull())
      .addColumn('created_at', bigint, (c) => c.notNull())
      .execute();
    await db.schema
      .createIndex('webhook_deliveries_webhook')
      .on('webhook_deliveries')
      .columns(['webhook', 'position'])
      .execute();
    await sql`CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE state = 'pending'`.execute(
      db,
    );
    await db.schema.createIndex('webhook_deliveries_message').on('webhook_deliveries').column('message').execute();
  },
};
