import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { FirmproofError } from '@firmproof/protocol';
import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from './migrations.ts';
import type { Tables } from './schema.ts';

export type Database = Kysely<Tables>;

/**
 * Opens the embedded database and brings its schema up to date.
 * @throws FirmproofError `database-damaged`
 */
export async function openDatabase(file: string): Promise<Database> {
  try {
    return await open(file);
  } catch (cause) {
    throw new FirmproofError(
      'database-damaged',
      `the database ${file} cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

async function open(file: string): Promise<Database> {
  const sqlite = new DatabaseSync(file);
  // WAL with full sync: a proposal that was answered for survives a power cut.
  sqlite.exec(
    'pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma busy_timeout = 5000',
  );
  const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: shim(sqlite) }) });
  const { error } = await new Migrator({ db: database, provider: migrations }).migrateToLatest();
  if (error) throw error;
  return database;
}

/** The few functions of better-sqlite3 that Kysely's dialect calls. */
function shim(sqlite: DatabaseSync) {
  return {
    close: () => sqlite.close(),
    prepare: (query: string) => {
      const statement = sqlite.prepare(query);
      const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...values(parameters)),
        run: (parameters: readonly unknown[]) => statement.run(...values(parameters)),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...values(parameters)),
      };
    },
  };
}

export async function readMeta(database: Database, key: string): Promise<string | undefined> {
  return (await database.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst())?.value;
}
