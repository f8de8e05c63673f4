import type { Channel, ProductId, Stopped } from '@firmproof/protocol';
import { channelSchema, productIdSchema, versionSchema } from '@firmproof/protocol';
import type { Database } from '../database/database.ts';
import type { By, ServerLog } from '../log/server-log.ts';

export type Stops = ReturnType<typeof createStops>;

/**
 * Channels that this server offers to nobody, from the moment on that somebody says so: a halt needs approvals and a block,
 * and a bad release reaches devices meanwhile. It binds no other server and proves nothing; the halt on chain does.
 */
export function createStops({
  database,
  serverLog,
  nowSeconds,
}: {
  readonly database: Database;
  readonly serverLog: ServerLog;
  readonly nowSeconds: () => number;
}) {
  return {
    async find(product: ProductId, channel: Channel): Promise<Stopped | null> {
      const row = await database
        .selectFrom('stops')
        .selectAll()
        .where('product', '=', product)
        .where('channel', '=', channel)
        .executeTakeFirst();
      if (!row) return null;
      return {
        product: productIdSchema.parse(row.product),
        channel: channelSchema.parse(row.channel),
        version: versionSchema.parse(row.version),
        counter: Number(row.counter),
        since: Number(row.since),
      };
    },

    /** `head`: what the channel points at now; the stop ends by itself when evidence of a later state is served. */
    async stop(
      product: ProductId,
      channel: Channel,
      head: { readonly version: string; readonly counter: number },
      by: By,
    ): Promise<void> {
      const change = { version: head.version, counter: head.counter, since: nowSeconds() };
      await database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('stops')
          .values({ product, channel, ...change })
          .onConflict((conflict) => conflict.columns(['product', 'channel']).doUpdateSet(change))
          .execute();
        const details = { channel, version: head.version };
        await serverLog.appendForProduct(transaction, product, by, {
          action: 'channel-stopped',
          subject: product,
          details,
        });
      });
    },

    /** Nothing to resume is nothing to write down. */
    async resume(product: ProductId, channel: Channel, by: By): Promise<void> {
      await database.transaction().execute(async (transaction) => {
        const gone = await transaction
          .deleteFrom('stops')
          .where('product', '=', product)
          .where('channel', '=', channel)
          .returning('version')
          .execute();
        for (const { version } of gone)
          await serverLog.appendForProduct(transaction, product, by, {
            action: 'channel-resumed',
            subject: product,
            details: { channel, version },
          });
      });
    },

    /** Evidence of a head with this counter is about to be served. */
    async passed(product: ProductId, channel: Channel, counter: number): Promise<void> {
      await database
        .deleteFrom('stops')
        .where('product', '=', product)
        .where('channel', '=', channel)
        .where('counter', '<', counter)
        .execute();
    },
  };
}
