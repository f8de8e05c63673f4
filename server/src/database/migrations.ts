import { type Kysely, sql } from 'kysely';
import type { Migration, MigrationProvider } from 'kysely/migration';
import { attestationBlocks } from './attestation-blocks-migration.ts';
import { auditTables } from './audit-migration.ts';
import { documents } from './documents-migration.ts';
import { fleetTimeline } from './fleet-timeline-migration.ts';
import { outcomes } from './outcomes-migration.ts';
import { saidLater } from './said-later-migration.ts';
import { watch } from './watch-migration.ts';

const text = 'text' as const;
const bigint = 'bigint' as const;

/** The first schema. Later changes are migrations of their own; one that has landed is never edited. */
const first: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const table = (name: string) => db.schema.createTable(name);
    await table('meta')
      .addColumn('key', text, (c) => c.primaryKey())
      .addColumn('value', text, (c) => c.notNull())
      .execute();
    await table('tokens')
      .addColumn('hash', text, (c) => c.primaryKey())
      .addColumn('publisher', text, (c) => c.notNull())
      .addColumn('scopes', text, (c) => c.notNull())
      .addColumn('expires_at', bigint, (c) => c.notNull())
      .execute();
    await table('login_nonces')
      .addColumn('nonce', text, (c) => c.primaryKey())
      .addColumn('deadline', bigint, (c) => c.notNull())
      .execute();
    await table('uploads')
      .addColumn('publisher', text, (c) => c.notNull())
      .addColumn('day', bigint, (c) => c.notNull())
      .addColumn('bytes', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('uploads_key', ['publisher', 'day'])
      .execute();
    await table('proposals')
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('kind', text, (c) => c.notNull())
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('publisher', text, (c) => c.notNull())
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('request', text, (c) => c.notNull())
      .addColumn('reason_code', text)
      .addColumn('reason_message', text)
      .addColumn('version', text)
      .addColumn('channel', text)
      .addColumn('image_digest', text)
      .addColumn('image_cid', text)
      .addColumn('image_size', text)
      .addColumn('transaction_hash', text)
      .addColumn('raw_transaction', text)
      .addColumn('created_at', bigint, (c) => c.notNull())
      .addColumn('updated_at', bigint, (c) => c.notNull())
      .execute();
    await db.schema.createIndex('proposals_state').on('proposals').column('state').execute();
    await table('proposal_events')
      .addColumn('position', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('proposal', text, (c) => c.notNull())
      .addColumn('document', text, (c) => c.notNull())
      .execute();
    await db.schema.createIndex('proposal_events_proposal').on('proposal_events').column('proposal').execute();
    await table('attestations')
      .addColumn('digest', text, (c) => c.primaryKey())
      .addColumn('text', text, (c) => c.notNull())
      .execute();
    await table('trust_roots')
      .addColumn('digest', text, (c) => c.primaryKey())
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('version', bigint, (c) => c.notNull())
      .addColumn('envelope', text, (c) => c.notNull())
      .execute();
    await table('image_blocks')
      .addColumn('cid', text, (c) => c.notNull())
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('image', text, (c) => c.notNull())
      .addColumn('open', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('image_blocks_key', ['cid', 'product', 'image'])
      .execute();
    await table('images')
      .addColumn('digest', text, (c) => c.notNull())
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('cid', text, (c) => c.notNull())
      .addColumn('size', text, (c) => c.notNull())
      .addColumn('open', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('images_key', ['digest', 'product'])
      .execute();
    await table('evidence')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('channel', text, (c) => c.notNull())
      .addColumn('etag', text, (c) => c.notNull())
      .addColumn('block', bigint, (c) => c.notNull())
      .addColumn('block_timestamp', bigint, (c) => c.notNull())
      .addColumn('document', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('evidence_key', ['product', 'channel'])
      .execute();
    await table('products')
      .addColumn('id', text, (c) => c.primaryKey())
      .addColumn('name', text, (c) => c.notNull())
      .addColumn('publisher', text, (c) => c.notNull())
      .addColumn('guardian', text, (c) => c.notNull())
      .addColumn('delay', bigint, (c) => c.notNull())
      .addColumn('epoch', bigint, (c) => c.notNull())
      .addColumn('sequence', bigint, (c) => c.notNull())
      .addColumn('top_index', bigint, (c) => c.notNull())
      .addColumn('trust_root', text, (c) => c.notNull())
      .addColumn('history', text, (c) => c.notNull())
      .addColumn('pending', text)
      .addColumn('pending_from', bigint, (c) => c.notNull().defaultTo(0))
      .addColumn('position', bigint, (c) => c.notNull())
      .execute();
    await table('heads')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('channel', text, (c) => c.notNull())
      .addColumn('version', text, (c) => c.notNull())
      .addColumn('counter', bigint, (c) => c.notNull())
      .addColumn('start', bigint, (c) => c.notNull())
      .addColumn('duration', bigint, (c) => c.notNull())
      .addColumn('first_share', bigint, (c) => c.notNull())
      .addColumn('halted', 'integer', (c) => c.notNull())
      .addColumn('halts', bigint, (c) => c.notNull())
      .addPrimaryKeyConstraint('heads_key', ['product', 'channel'])
      .execute();
    await table('releases')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('version', text, (c) => c.notNull())
      .addColumn('status', 'integer', (c) => c.notNull())
      .addColumn('rollback_index', bigint, (c) => c.notNull())
      .addColumn('sequence', bigint, (c) => c.notNull())
      .addColumn('published_at', bigint, (c) => c.notNull())
      .addColumn('installable_from', bigint, (c) => c.notNull())
      .addColumn('image', text, (c) => c.notNull())
      .addColumn('attestation', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('releases_key', ['product', 'version'])
      .execute();
  },
};

/** Proposals that several signers approve. Those from before were all approved by their one signature. */
const approvals: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const add = (name: string, fallback: string | number, type: typeof text | 'integer' = text) =>
      db.schema
        .alterTable('proposals')
        .addColumn(name, type, (c) => c.notNull().defaultTo(fallback))
        .execute();
    await add('approver', '');
    await add('approvals', '[]');
    await add('rejections', '[]');
    await add('held', 0, 'integer');
    await db.schema.alterTable('proposals').addColumn('requirements', text).execute();
    await db.schema
      .createTable('stops')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('channel', text, (c) => c.notNull())
      .addColumn('version', text, (c) => c.notNull())
      .addColumn('counter', 'bigint', (c) => c.notNull())
      .addColumn('since', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('stops_key', ['product', 'channel'])
      .execute();
  },
};

/** Sigstore trusted roots that trust roots name, and tokens of continuous integration, each for one product. */
const keyless: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('sigstore_roots')
      .addColumn('digest', text, (c) => c.primaryKey())
      .addColumn('text', text, (c) => c.notNull())
      .execute();
    await db.schema.alterTable('tokens').addColumn('product', text).execute();
  },
};

/** Trust roots know what they step from, the index knows what is scheduled, and devices report. */
const moving: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('trust_roots').addColumn('previous', text).execute();
    await sql`UPDATE trust_roots SET previous = (SELECT digest FROM trust_roots AS earlier
      WHERE earlier.product = trust_roots.product AND earlier.version = trust_roots.version - 1 LIMIT 1)`.execute(db);
    await db.schema.createIndex('trust_roots_previous').on('trust_roots').column('previous').execute();
    await db.schema.createIndex('trust_roots_product').on('trust_roots').column('product').execute();
    await db.schema.alterTable('products').addColumn('pending_configuration', text).execute();
    // The index is made anew from the chain, so that the new column is filled.
    for (const table of ['products', 'heads', 'releases']) await sql`DELETE FROM ${sql.table(table)}`.execute(db);
    await sql`DELETE FROM meta WHERE key = 'indexed-block'`.execute(db);
    await db.schema
      .createTable('device_reports')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('device', text, (c) => c.notNull())
      .addColumn('version', text, (c) => c.notNull())
      .addColumn('image', text, (c) => c.notNull())
      .addColumn('outcome', text, (c) => c.notNull())
      .addColumn('code', text)
      .addColumn('counter', bigint, (c) => c.notNull())
      .addColumn('time', bigint, (c) => c.notNull())
      .addColumn('received_at', bigint, (c) => c.notNull())
      .addPrimaryKeyConstraint('device_reports_key', ['product', 'device'])
      .execute();
  },
};

/** What the device anchor says of devices. */
const deviceAnchors: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('anchored_batches')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('root', text, (c) => c.notNull())
      .addColumn('count', bigint, (c) => c.notNull())
      .addColumn('anchored_at', bigint, (c) => c.notNull())
      .addPrimaryKeyConstraint('anchored_batches_key', ['product', 'root'])
      .execute();
    await db.schema
      .createTable('revoked_devices')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('leaf', text, (c) => c.notNull())
      .addColumn('revoked_at', bigint, (c) => c.notNull())
      .addPrimaryKeyConstraint('revoked_devices_key', ['product', 'leaf'])
      .execute();
    // The index is made anew from the chain: earlier blocks may hold events of the anchor.
    for (const table of ['products', 'heads', 'releases']) await sql`DELETE FROM ${sql.table(table)}`.execute(db);
    await sql`DELETE FROM meta WHERE key = 'indexed-block'`.execute(db);
  },
};

/** Enrolled devices and their receipts take the place of what keys that nobody had enrolled reported. */
const devices: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.dropTable('device_reports').execute();
    await db.schema
      .createTable('devices')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('key_digest', text, (c) => c.notNull())
      .addColumn('device', text, (c) => c.notNull())
      .addColumn('public_key', text)
      .addColumn('salt', text, (c) => c.notNull())
      .addColumn('leaf', text, (c) => c.notNull())
      .addColumn('state', text, (c) => c.notNull())
      .addColumn('enrolled_by', text)
      .addColumn('hardware', text)
      .addColumn('asked_at', bigint, (c) => c.notNull())
      .addColumn('last_seen_at', bigint)
      .addColumn('counter', bigint)
      .addColumn('running_version', text)
      .addColumn('running_image', text)
      .addColumn('outcome', text)
      .addColumn('seen', text)
      .addColumn('view_judged', 'integer', (c) => c.notNull().defaultTo(1))
      .addColumn('agent_version', text)
      .addColumn('flags', text, (c) => c.notNull().defaultTo('[]'))
      .addPrimaryKeyConstraint('devices_key', ['product', 'key_digest'])
      .execute();
    // Anybody may ask under any id; enrolled is only one of them.
    await sql`CREATE UNIQUE INDEX devices_enrolled ON devices (product, device) WHERE state = 'enrolled'`.execute(db);
    await db.schema.createIndex('devices_device').on('devices').columns(['product', 'device']).execute();
    await db.schema.createIndex('devices_state').on('devices').columns(['product', 'state', 'key_digest']).execute();
    await sql`CREATE INDEX devices_unjudged ON devices (view_judged) WHERE view_judged = 0`.execute(db);
    await db.schema
      .createTable('device_receipts')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('key_digest', text, (c) => c.notNull())
      .addColumn('counter', bigint, (c) => c.notNull())
      .addColumn('digest', text, (c) => c.notNull())
      .addColumn('body', text, (c) => c.notNull())
      .addColumn('signature_input', text, (c) => c.notNull())
      .addColumn('signature', text, (c) => c.notNull())
      .addColumn('received_at', bigint, (c) => c.notNull())
      .addColumn('clone_suspected', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('device_receipts_key', ['product', 'key_digest', 'counter', 'digest'])
      .execute();
    await db.schema
      .createTable('claim_tokens')
      .addColumn('hash', text, (c) => c.primaryKey())
      .addColumn('id', text, (c) => c.notNull().unique())
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('remaining', bigint, (c) => c.notNull())
      .addColumn('expires_at', bigint, (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('device_imports')
      .addColumn('import', text, (c) => c.notNull())
      .addColumn('line', bigint, (c) => c.notNull())
      .addColumn('device', text, (c) => c.notNull())
      .addColumn('key_digest', text, (c) => c.notNull())
      .addColumn('public_key', text)
      .addColumn('salt', text, (c) => c.notNull())
      .addColumn('leaf', text, (c) => c.notNull())
      .addColumn('salted', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('device_imports_key', ['import', 'key_digest'])
      .addUniqueConstraint('device_imports_device', ['import', 'device'])
      .execute();
    await db.schema
      .createTable('product_histories')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('sequence', bigint, (c) => c.notNull())
      .addColumn('history', text, (c) => c.notNull())
      .addPrimaryKeyConstraint('product_histories_key', ['product', 'sequence'])
      .execute();
    // The index is made anew from the chain, so that the histories are filled.
    for (const table of ['products', 'heads', 'releases', 'anchored_batches', 'revoked_devices'])
      await sql`DELETE FROM ${sql.table(table)}`.execute(db);
    await sql`DELETE FROM meta WHERE key = 'indexed-block'`.execute(db);
  },
};

export const migrations: MigrationProvider = {
  getMigrations: () =>
    Promise.resolve({
      '2026-11-first': first,
      '2026-12-approvals': approvals,
      '2026-12-keyless': keyless,
      '2026-12-moving': moving,
      '2027-01-device-anchors': deviceAnchors,
      '2027-02-devices': devices,
      '2027-03-audit': auditTables,
      '2027-03-documents': documents,
      '2027-03-outcomes': outcomes,
      '2027-03-said-later': saidLater,
      '2027-03-watch': watch,
      '2027-04-fleet-timeline': fleetTimeline,
      '2027-05-attestation-blocks': attestationBlocks,
    }),
};
