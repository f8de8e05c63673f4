import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FirmproofError } from '@firmproof/protocol';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { takeLock } from '@firmproof/protocol/node/lock-file';

/** Each entry brings the schema one version further; old ones are never changed. */
const migrations: readonly string[] = [
  `create table products (
     product text primary key,
     -- Where the replay stands.
     checkpoint text not null,
     -- The event up to which everything was there when the monitor came.
     baseline integer not null
   ) strict;
   create table entries (
     product text not null,
     sequence integer not null,
     entry text not null,
     -- The history hash after it.
     history text not null,
     -- The account that had to approve it, where one had to.
     approver text,
     -- open: who approved it is still to be found out. unasked: from before, or nobody wants to know. seen.
     approval text not null check (approval in ('open', 'unasked', 'seen')),
     primary key (product, sequence)
   ) strict;
   create index open_approvals on entries (product, sequence) where approval = 'open';
   -- The signers of a publisher, as they were last seen.
   create table signer_sets (
     product text primary key,
     body text not null
   ) strict, without rowid;
   create table conditions (
     product text not null,
     scope text not null,
     code text not null,
     subject text not null,
     since integer not null,
     -- The alert that told it; null while there is patience.
     alert text,
     primary key (product, scope, code, subject)
   ) strict, without rowid;
   create table alerts (
     id text primary key,
     body text not null,
     raised_at integer not null
   ) strict;
   create table messages (
     id text primary key,
     sink text not null,
     formed_at integer not null,
     attempts integer not null default 0,
     trouble text,
     delivered_at integer
   ) strict, without rowid;
   create index messages_of_sink on messages (sink, formed_at);
   create table outbox (
     place integer primary key,
     sink text not null,
     alert text not null references alerts (id),
     -- The message that it became part of.
     message text references messages (id),
     unique (sink, alert)
   ) strict;
   create index outbox_of_message on outbox (message);`,
  `create table attestations (
     product text not null,
     version text not null,
     -- What is wrong with it, as JSON; [] where it is in order.
     findings text not null,
     primary key (product, version)
   ) strict, without rowid;`,
];

/**
 * All that the monitor knows, in one SQLite file: a step of following and the alerts that it raises are one transaction, so
 * that neither is there without the other (ADR 0018). Whoever holds it holds the lock.
 */
export class MonitorState {
  readonly database: DatabaseSync;
  readonly #release: () => void;

  private constructor(database: DatabaseSync, release: () => void) {
    this.database = database;
    this.#release = release;
  }

  /** @throws FirmproofError `monitor-running` while another process has it, `monitor-state-damaged` */
  static open(directory: string): MonitorState {
    makeDirectory(directory, 0o700);
    const lock = takeLock(join(directory, 'lock'));
    if ('owner' in lock) {
      throw new FirmproofError('monitor-running', `process ${lock.owner} follows with the state in ${directory}`);
    }
    try {
      return new MonitorState(openDatabase(join(directory, 'monitor.sqlite')), lock.release);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** All of it or nothing, on the disk when it returns. Not to be nested. @throws FirmproofError `monitor-state-damaged` */
  transaction<Result>(work: () => Result): Result {
    this.database.exec('begin immediate');
    try {
      const result = work();
      this.database.exec('commit');
      return result;
    } catch (error) {
      if (this.database.isTransaction) this.database.exec('rollback');
      throw isSqliteError(error) ? unwritable(error) : error;
    }
  }

  close(): void {
    this.database.close();
    this.#release();
  }
}

const isSqliteError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';

/** A full disk, above all: going on without it would mean to forget alerts, or to repeat them for ever. */
const unwritable = (cause: Error) =>
  new FirmproofError('monitor-state-damaged', `the state cannot be written: ${cause.message}`, { cause });

function openDatabase(file: string): DatabaseSync {
  try {
    const database = new DatabaseSync(file);
    chmodSync(file, 0o600);
    // WAL with full sync: what was committed survives a power cut.
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on');
    migrate(database);
    return database;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FirmproofError('monitor-state-damaged', `${file} cannot be opened: ${why}`, { cause });
  }
}

function migrate(database: DatabaseSync): void {
  const version = Number(database.prepare('pragma user_version').get()?.['user_version']);
  if (version > migrations.length) throw new Error('it is of a newer version of the monitor');
  for (const [index, statements] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`begin; ${statements}; pragma user_version = ${index + 1}; commit`);
  }
}
