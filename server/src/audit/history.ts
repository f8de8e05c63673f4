import { FirmproofError, type ProductId } from '@firmproof/protocol';
import { type Entry, entrySchema, type Transaction, transactionSchema } from '@firmproof/protocol/audit';
import type { Rpc } from '@firmproof/protocol/node';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';

const entryOfRow = (row: Tables['events']): Entry =>
  entrySchema.parse({
    sequence: Number(row.sequence),
    block: { number: Number(row.block_number), hash: row.block_hash },
    transaction: row.transaction_hash,
    topics: JSON.parse(row.topics),
    data: row.data,
  });

export type AuditHistory = ReturnType<typeof createAuditHistory>;

/** The final events of products as the registry logged them, and the transactions behind them. */
export function createAuditHistory({ database, rpc }: { readonly database: Database; readonly rpc: Rpc }) {
  const underWay = new Map<string, Promise<Transaction>>();

  /** Asked of the node once for ever. */
  async function transactionOf(hash: string): Promise<Transaction> {
    const row = await database
      .selectFrom('event_transactions')
      .select('document')
      .where('hash', '=', hash)
      .executeTakeFirst();
    if (row !== undefined) return transactionSchema.parse(JSON.parse(row.document));
    const answer = await rpc<Partial<Record<'hash' | 'to' | 'input', unknown>> | null>('eth_getTransactionByHash', [
      hash,
    ]);
    const parsed = transactionSchema.safeParse({ hash: answer?.hash, to: answer?.to ?? null, input: answer?.input });
    if (!parsed.success || parsed.data.hash !== hash)
      throw new FirmproofError('unavailable', `the RPC node of this server does not give transaction ${hash}`);
    const document = JSON.stringify(parsed.data);
    await database
      .insertInto('event_transactions')
      .values({ hash, document })
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .execute();
    return parsed.data;
  }

  return {
    /** Up to `limit` entries and one more, which says that there are more; oldest first. */
    async entries(product: ProductId, after: number, limit: number): Promise<readonly Entry[]> {
      const rows = await database
        .selectFrom('events')
        .selectAll()
        .where('product', '=', product)
        .where('sequence', '>', after)
        .orderBy('sequence')
        .limit(limit + 1)
        .execute();
      return rows.map(entryOfRow);
    },

    /** @throws FirmproofError `not-found`, `unavailable`, `chain-unreachable` */
    async transaction(product: ProductId, sequence: number): Promise<Transaction> {
      const row = await database
        .selectFrom('events')
        .select('transaction_hash')
        .where('product', '=', product)
        .where('sequence', '=', sequence)
        .executeTakeFirst();
      if (row === undefined) throw new FirmproofError('not-found', `the history has no entry ${sequence}`);
      const { transaction_hash: hash } = row;
      const asked = underWay.get(hash) ?? transactionOf(hash);
      underWay.set(hash, asked);
      try {
        return await asked;
      } finally {
        underWay.delete(hash);
      }
    },
  };
}
