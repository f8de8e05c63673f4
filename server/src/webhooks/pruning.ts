import type { Database } from '../database/database.ts';

/** What happened longer ago is told no more, and cannot be delivered again. */
const retentionSeconds = 30 * 86_400;
/** For a webhook that is disabled, or slower than what happens. */
const maximumPending = 10_000;

/** Drops what is over, so that the outbox does not grow for ever. Of events of the chain the ids stay: they are told once. */
export async function prune(database: Database, nowSeconds: number): Promise<void> {
  const before = nowSeconds - retentionSeconds;
  await database.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('webhook_deliveries').where('created_at', '<', before).execute();
    for (const { id } of await transaction.selectFrom('webhooks').select('id').execute()) {
      const oldestKept = await transaction
        .selectFrom('webhook_deliveries')
        .select('position')
        .where('webhook', '=', id)
        .where('state', '=', 'pending')
        .orderBy('position', 'desc')
        .offset(maximumPending)
        .limit(1)
        .executeTakeFirst();
      if (oldestKept)
        await transaction
          .deleteFrom('webhook_deliveries')
          .where('webhook', '=', id)
          .where('state', '=', 'pending')
          .where('position', '<=', oldestKept.position)
          .execute();
    }
    const wanted = transaction.selectFrom('webhook_deliveries').select('message');
    const old = { before, wanted };
    await transaction
      .deleteFrom('webhook_messages')
      .where('created_at', '<', old.before)
      .where('sequence', 'is', null)
      .where('id', 'not in', old.wanted)
      .execute();
    await transaction
      .updateTable('webhook_messages')
      .set({ body: '' })
      .where('created_at', '<', old.before)
      .where('body', '<>', '')
      .where('id', 'not in', old.wanted)
      .execute();
  });
}
