import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { FirmproofError, type ImportAnswer, type ProductId } from '@firmproof/protocol';
import { type FactoryDevice, isMistake, readFactoryList } from '@firmproof/protocol/node/factory-list';
import { type SelectQueryBuilder, sql, type Transaction } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { By, ServerLog } from '../log/server-log.ts';
import { saltedLeaf } from './enrolments.ts';

const rowsAtOnce = 500;
const maximumNamedLines = 20;
const maximumDevices = 1_000_000;

type Mistakes = { readonly line: number; readonly mistake: string }[];

/**
 * Factories' lists of devices. A list streams into a table of its own and becomes devices in one transaction, or not at all:
 * memory does not grow with it (S2.3).
 */
export function createFactoryImports({
  database,
  serverLog,
  nowSeconds,
}: {
  readonly database: Database;
  readonly serverLog: ServerLog;
  readonly nowSeconds: () => number;
}) {
  const forget = (id: string) => database.deleteFrom('device_imports').where('import', '=', id).execute();

  /** Lines that could not be kept since an earlier one has their key or their id. */
  async function keep(id: string, product: ProductId, batch: readonly FactoryDevice[]): Promise<Mistakes> {
    if (batch.length === 0) return [];
    const rows = batch.map(({ line, device, keyDigest, publicKey, salt }) => ({
      import: id,
      line,
      device,
      key_digest: keyDigest,
      public_key: publicKey,
      ...saltedLeaf(product, keyDigest, salt),
      salted: salt === null ? 0 : 1,
    }));
    const kept = await database
      .insertInto('device_imports')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .returning('line')
      .execute();
    const lines = new Set(kept.map(({ line }) => Number(line)));
    return rows.flatMap(({ line }) =>
      lines.has(line) ? [] : [{ line, mistake: 'its device or its key is in the list already' }],
    );
  }

  /** Streams the list into its table. @throws FirmproofError `factory-list-malformed`, naming the lines */
  async function stage(id: string, product: ProductId, list: AsyncIterable<Uint8Array>): Promise<number> {
    const mistakes: Mistakes = [];
    let batch: FactoryDevice[] = [];
    let devices = 0;
    for await (const item of readFactoryList(list)) {
      if (isMistake(item)) mistakes.push(item);
      else if (batch.push(item) >= rowsAtOnce) {
        mistakes.push(...(await keep(id, product, batch)));
        batch = [];
      }
      devices += 1;
      if (mistakes.length > maximumNamedLines) break;
      if (devices > maximumDevices) throw malformed(`a list names at most ${maximumDevices} devices`);
    }
    mistakes.push(...(await keep(id, product, batch)));
    requireNone(mistakes);
    if (devices === 0) throw malformed('the list names no device');
    return devices;
  }

  /** In the order of the keys, and in steps between which the server answers others. */
  async function enrolStaged(transaction: Transaction<Tables>, id: string, product: ProductId): Promise<void> {
    let after = '';
    for (;;) {
      const step = await transaction
        .selectFrom('device_imports')
        .select('key_digest')
        .where('import', '=', id)
        .where('key_digest', '>', after)
        .orderBy('key_digest')
        .limit(rowsAtOnce)
        .execute();
      const last = step.at(-1)?.key_digest;
      if (last === undefined) return;
      await sql`INSERT INTO devices (product, key_digest, device, public_key, salt, leaf, state, enrolled_by, asked_at)
        SELECT ${product}, key_digest, device, public_key, salt, leaf, 'enrolled', 'factory', ${nowSeconds()}
        FROM device_imports WHERE import = ${id} AND key_digest > ${after} AND key_digest <= ${last} ORDER BY key_digest
        ON CONFLICT (product, key_digest) DO UPDATE SET
          public_key = coalesce(devices.public_key, excluded.public_key),
          device = excluded.device,
          salt = CASE devices.state WHEN 'pending' THEN excluded.salt ELSE devices.salt END,
          leaf = CASE devices.state WHEN 'pending' THEN excluded.leaf ELSE devices.leaf END,
          enrolled_by = coalesce(devices.enrolled_by, 'factory'),
          state = 'enrolled'`.execute(transaction);
      await transaction.deleteFrom('device_imports').where('import', '=', id).where('key_digest', '<=', last).execute();
      after = last;
      await setImmediate();
    }
  }

  return {
    /** At the start: what a stop has left. */
    async dropUnfinished(): Promise<void> {
      await database.deleteFrom('device_imports').execute();
    },

    /**
     * Enrols all devices of a list; those that are enrolled already stay as they are.
     * @throws FirmproofError `factory-list-malformed`, naming the lines; then nothing was imported
     */
    async run(product: ProductId, list: AsyncIterable<Uint8Array>, by: By): Promise<ImportAnswer> {
      const id = randomUUID();
      try {
        const devices = await stage(id, product, list);
        const added = await database.transaction().execute(async (transaction) => {
          const staged = transaction.selectFrom('device_imports as item').where('item.import', '=', id);
          requireNone(await conflicts(staged, product));
          const { known } = await staged
            .innerJoin('devices as device', (join) =>
              join
                .onRef('device.key_digest', '=', 'item.key_digest')
                .on('device.product', '=', product)
                .on('device.state', '=', 'enrolled'),
            )
            .select(({ fn }) => fn.countAll().as('known'))
            .executeTakeFirstOrThrow();
          await enrolStaged(transaction, id, product);
          const details = { devices, added: devices - Number(known) };
          const event = { action: 'devices-imported', subject: product, details } as const;
          await serverLog.appendForProduct(transaction, product, by, event);
          return details.added;
        });
        return { product, devices, added, known: devices - added };
      } finally {
        await forget(id);
      }
    },
  };
}

type Staged = SelectQueryBuilder<Tables & { item: Tables['device_imports'] }, 'item', object>;

/** What is known of devices that a list contradicts. */
async function conflicts(staged: Staged, product: ProductId): Promise<Mistakes> {
  const first = <Query extends { limit(count: number): Query }>(query: Query) => query.limit(maximumNamedLines + 1);
  const byKey = staged.innerJoin('devices as device', (join) =>
    join.onRef('device.key_digest', '=', 'item.key_digest').on('device.product', '=', product),
  );
  const revoked = await first(byKey.where('device.state', '=', 'revoked').select('item.line')).execute();
  const onChain = await first(
    staged
      .innerJoin('revoked_devices as gone', (join) =>
        join.onRef('gone.leaf', '=', 'item.leaf').on('gone.product', '=', product),
      )
      .select('item.line'),
  ).execute();
  const enrolled = byKey.where('device.state', '=', 'enrolled');
  const otherId = await first(enrolled.whereRef('device.device', '<>', 'item.device').select('item.line')).execute();
  const otherSalt = await first(
    enrolled.where('item.salted', '=', 1).whereRef('device.salt', '<>', 'item.salt').select('item.line'),
  ).execute();
  const otherKey = await first(
    staged
      .innerJoin('devices as device', (join) =>
        join
          .onRef('device.device', '=', 'item.device')
          .on('device.product', '=', product)
          .on('device.state', '=', 'enrolled'),
      )
      .whereRef('device.key_digest', '<>', 'item.key_digest')
      .select('item.line'),
  ).execute();
  const mistakes = (rows: readonly { line: number }[], mistake: string) =>
    rows.map(({ line }) => ({ line: Number(line), mistake }));
  return [
    ...mistakes(revoked, 'its key is revoked'),
    ...mistakes(onChain, 'it is revoked on chain'),
    ...mistakes(otherId, 'its key is enrolled under another device id'),
    ...mistakes(otherKey, 'its device id is enrolled with another key'),
    ...mistakes(otherSalt, 'it is enrolled with another salt'),
  ];
}

const malformed = (message: string) => new FirmproofError('factory-list-malformed', message);

function requireNone(mistakes: Mistakes): void {
  if (mistakes.length === 0) return;
  const lines = mistakes
    .sort((a, b) => a.line - b.line)
    .slice(0, maximumNamedLines)
    .map(({ line, mistake }) => `line ${line}: ${mistake}`);
  const more = mistakes.length > maximumNamedLines ? '; and more' : '';
  throw new FirmproofError('factory-list-malformed', `${lines.join('; ')}${more}`, { details: { lines } });
}
