import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const text = 'text' as const;
const bigint = 'bigint' as const;

/** What the fleet runs is counted as receipts come; those that are kept already are counted now. */
export const fleetTimeline: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('fleet_changes')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('day', bigint, (c) => c.notNull())
      .addColumn('version', text, (c) => c.notNull())
      .addColumn('devices', bigint, (c) => c.notNull())
      .addPrimaryKeyConstraint('fleet_changes_key', ['product', 'day', 'version'])
      .execute();
    await db.schema
      .createTable('fleet_outcomes')
      .addColumn('product', text, (c) => c.notNull())
      .addColumn('version', text, (c) => c.notNull())
      .addColumn('result', text, (c) => c.notNull())
      .addColumn('code', text, (c) => c.notNull())
      .addColumn('receipts', bigint, (c) => c.notNull())
      .addPrimaryKeyConstraint('fleet_outcomes_key', ['product', 'version', 'result', 'code'])
      .execute();
    await sql`
      WITH said AS (
        SELECT product, min(json_extract(body, '$.time'), received_at) / 86400 AS day,
          json_extract(body, '$.running.version') AS version,
          lag(json_extract(body, '$.running.version')) OVER (PARTITION BY product, key_digest ORDER BY counter) AS before
        FROM device_receipts WHERE clone_suspected = 0
      )
      INSERT INTO fleet_changes (product, day, version, devices)
      SELECT product, day, version, sum(devices) FROM (
        SELECT product, day, version, 1 AS devices FROM said WHERE before IS NULL OR before <> version
        UNION ALL
        SELECT product, day, before AS version, -1 AS devices FROM said WHERE before <> version
      ) GROUP BY product, day, version`.execute(db);
    await sql`
      INSERT INTO fleet_outcomes (product, version, result, code, receipts)
      SELECT product, json_extract(body, '$.outcome.version') AS version, json_extract(body, '$.outcome.result') AS result,
        coalesce(json_extract(body, '$.outcome.code'), '') AS code, count(*)
      FROM device_receipts WHERE clone_suspected = 0 AND kind = 'outcome' GROUP BY 1, 2, 3, 4`.execute(db);
  },
};
