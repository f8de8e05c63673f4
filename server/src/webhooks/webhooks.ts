import type { Logger } from 'pino';
import { rebuiltKey } from '../chain/indexer.ts';
import { type Database, readMeta } from '../database/database.ts';
import type { ServerLog } from '../log/server-log.ts';
import { createDeliveryWorker } from './delivery-worker.ts';
import { createOutbox } from './outbox.ts';
import { createSender, type SenderPolicy } from './sender.ts';
import { createWebhookStore } from './webhook-store.ts';

export type Webhooks = ReturnType<typeof createWebhooks>;

/** Everything about webhooks: what is told to whom, what became of it, and who carries it. */
export function createWebhooks(options: {
  readonly database: Database;
  readonly serverLog: ServerLog;
  readonly policy: SenderPolicy;
  readonly firstRetrySeconds: number;
  readonly nowSeconds: () => number;
  readonly log: Logger;
}) {
  const { database } = options;
  const sender = createSender(options.policy);
  const outbox = createOutbox(options.nowSeconds);
  const worker = createDeliveryWorker({ ...options, sender });
  outbox.whenQueued(() => worker.wake());
  return {
    outbox,
    worker,
    store: createWebhookStore({ ...options, outbox, sender }),

    /** Once the index is whole again after the chain has changed below what was final: also after a crash in between. */
    async reviewAfterRebuild(): Promise<void> {
      if ((await readMeta(database, rebuiltKey)) === undefined) return;
      await database.transaction().execute(async (transaction) => {
        await outbox.withdrawVanished(transaction);
        await transaction.deleteFrom('meta').where('key', '=', rebuiltKey).execute();
      });
    },
  };
}
