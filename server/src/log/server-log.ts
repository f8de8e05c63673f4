import {
  type Address,
  noEntryBefore,
  type ProductId,
  type ServerLogAction,
  type ServerLogActor,
  type ServerLogDetails,
  type ServerLogEntry,
  type ServerLogPage,
  type Sha256Digest,
  serverLogEntrySchema,
  serverLogHash,
} from '@firmproof/protocol';
import type { Transaction } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import { createFolds } from './folds.ts';

/** Starts that nobody has looked at for so long are told no more. */
const keptStarts = 1000;

export type LogEvent = {
  readonly actor: ServerLogActor;
  readonly action: ServerLogAction;
  readonly subject: string;
  readonly details?: ServerLogDetails;
};

/** Who does something, and for which account. */
export type By = { readonly actor: ServerLogActor; readonly account: Address | null };

export type ServerLog = ReturnType<typeof createServerLog>;

/**
 * What is done here, written down for those whom it concerns: one chain of hashes an owner (L1, L2 of docs/spec/server-log.md).
 * An entry is written in the transaction of what it tells.
 */
export function createServerLog({
  database,
  nowSeconds,
}: {
  readonly database: Database;
  readonly nowSeconds: () => number;
}) {
  const folds = createFolds(nowSeconds);

  async function append(transaction: Transaction<Tables>, owners: Iterable<Address>, event: LogEvent): Promise<void> {
    const time = nowSeconds();
    for (const owner of new Set(owners)) await extend(transaction, owner, [{ ...event, time }]);
  }

  /** Refusals beyond the first of an hour, as one entry (L7). */
  async function tellFolded(folded: ReturnType<typeof folds.elapsed>): Promise<void> {
    if (folded.length === 0) return;
    await database.transaction().execute(async (transaction) => {
      for (const { owner, action, count } of folded)
        await append(transaction, [owner], { actor: 'server', action, subject: owner, details: { folded: count } });
    });
  }

  return {
    /** The server has started, with this configuration (L8): in each log before whatever comes next. */
    async started(details: ServerLogDetails): Promise<void> {
      const start = { time: nowSeconds(), details: JSON.stringify(details) };
      const { id } = await database.insertInto('server_starts').values(start).returning('id').executeTakeFirstOrThrow();
      await database
        .deleteFrom('server_starts')
        .where('id', '<=', id - keptStarts)
        .execute();
    },

    append,

    /** For something that was done to a product: in the log of its publisher, and of the account that did it (L1). */
    async appendForProduct(
      transaction: Transaction<Tables>,
      product: ProductId,
      { actor, account }: By,
      event: Omit<LogEvent, 'actor'>,
    ): Promise<void> {
      const row = await transaction
        .selectFrom('products')
        .select('publisher')
        .where('id', '=', product)
        .executeTakeFirst();
      const owners = [row?.publisher as Address | undefined, account].filter(
        (owner) => owner !== undefined && owner !== null,
      );
      await append(transaction, owners, { actor, ...event });
    },

    /**
     * A refusal, which strangers can bring about: nothing for owners that have no log, one entry an hour for others, and one
     * that says how many followed (L7).
     */
    async refused(owner: Address, event: LogEvent & { readonly action: 'login-refused' | 'limit-refused' }) {
      const known = await database
        .selectFrom('server_logs')
        .select('owner')
        .where('owner', '=', owner)
        .executeTakeFirst();
      if (!known) return;
      await tellFolded(folds.elapsed(owner));
      if (!folds.isFirst(owner, event.action)) return;
      await database.transaction().execute((transaction) => append(transaction, [owner], event));
    },

    /** Entries after an index, oldest first. @param after -1 for the beginning */
    async page(owner: Address, after: number, limit: number): Promise<ServerLogPage> {
      await tellFolded(folds.elapsed(owner));
      return database.transaction().execute(async (transaction) => {
        await extend(transaction, owner, []);
        const rows = await transaction
          .selectFrom('server_log_entries')
          .select('document')
          .where('owner', '=', owner)
          .where('position', '>', after)
          .orderBy('position')
          .limit(limit)
          .execute();
        const head = await headOf(transaction, owner);
        return {
          publisher: owner,
          items: rows.map(({ document }) => serverLogEntrySchema.parse(JSON.parse(document))),
          head: head ? { index: head.entries - 1, hash: head.hash as Sha256Digest } : null,
        };
      });
    },

    /** What was counted and not told yet. */
    stop: (): Promise<void> => tellFolded(folds.all()),
  };
}

async function headOf(transaction: Transaction<Tables>, owner: Address) {
  const row = await transaction.selectFrom('server_logs').selectAll().where('owner', '=', owner).executeTakeFirst();
  return row && { ...row, entries: Number(row.entries), last_start: Number(row.last_start) };
}

/** The starts that the log does not have yet, and what has happened since. A log begins with the start before it (L8). */
async function extend(
  transaction: Transaction<Tables>,
  owner: Address,
  events: readonly (LogEvent & { readonly time: number })[],
): Promise<void> {
  const head = await headOf(transaction, owner);
  if (!head && events.length === 0) return;
  const starts = await transaction
    .selectFrom('server_starts')
    .selectAll()
    .where('id', '>', head?.last_start ?? 0)
    .orderBy('id', 'desc')
    .limit(head ? keptStarts : 1)
    .execute();
  const news = [
    ...starts.toReversed().map((start) => ({
      time: Number(start.time),
      actor: 'server' as const,
      action: 'server-started' as const,
      subject: owner,
      details: JSON.parse(start.details) as ServerLogDetails,
    })),
    ...events,
  ];
  if (news.length === 0) return;
  let index = head?.entries ?? 0;
  let hash = (head?.hash ?? noEntryBefore) as Sha256Digest;
  for (const { time, actor, action, subject, details = {} } of news) {
    const unhashed = { index, time, actor, action, subject, details: { ...details }, previous: hash };
    hash = serverLogHash(owner, unhashed);
    const entry: ServerLogEntry = serverLogEntrySchema.parse({ ...unhashed, hash });
    await transaction
      .insertInto('server_log_entries')
      .values({ owner, position: index, document: JSON.stringify(entry) })
      .execute();
    index += 1;
  }
  const change = { entries: index, hash, last_start: Number(starts[0]?.id ?? head?.last_start ?? 0) };
  await transaction
    .insertInto('server_logs')
    .values({ owner, ...change })
    .onConflict((conflict) => conflict.column('owner').doUpdateSet(change))
    .execute();
}
