import type { ProductId, Receipt } from '@firmproof/protocol';
import { type Rpc, readBlock } from '@firmproof/protocol/node';
import type { Database } from '../database/database.ts';
import type { FlagWatcher } from '../webhooks/other-events.ts';
import { withFlag } from './device-rows.ts';

const maximumKnownBlocks = 1000;
const judgedAtOnce = 50;

type Seen = NonNullable<Receipt['seen']>;

/** fits: so far as the chain is known here. unknown: the device was shown more than is known here yet. */
export type View =
  | { readonly verdict: 'fits' | 'unknown' }
  | { readonly verdict: 'differs'; readonly evidence: string };

/** Of a device that was shown another chain. @param at seconds since 1970 */
export const flagOfView = (view: View, at: number) =>
  view.verdict === 'differs' ? ({ code: 'split-view', at, evidence: view.evidence } as const) : null;

export type Views = ReturnType<typeof createViews>;

/** Compares what devices were shown of the chain with the chain as this server knows it (S4). */
export function createViews({
  database,
  rpc,
  onFlag,
  nowSeconds,
}: {
  readonly database: Database;
  readonly rpc: Rpc;
  readonly onFlag: FlagWatcher;
  readonly nowSeconds: () => number;
}) {
  /** Hashes of final blocks, which devices of one fleet name again and again. */
  const known = new Map<number, string>();

  async function blockHash(number: number): Promise<string | null> {
    const before = known.get(number);
    if (before !== undefined) return before;
    const final = await readBlock(rpc, 'finalized');
    if (final === null || number > Number(final.number)) return null;
    const hash = (await readBlock(rpc, number))?.hash ?? null;
    if (hash !== null && known.size >= maximumKnownBlocks) known.clear();
    if (hash !== null) known.set(number, hash);
    return hash;
  }

  async function judge(product: ProductId, { block, sequence, history }: Seen): Promise<View> {
    const recorded = await database
      .selectFrom('product_histories')
      .select('history')
      .where('product', '=', product)
      .where('sequence', '=', sequence)
      .executeTakeFirst();
    if (recorded && recorded.history !== history)
      return { verdict: 'differs', evidence: `history ${history} after event ${sequence}; here ${recorded.history}` };
    // A node that does not answer is asked again.
    const hash = await blockHash(block.number).catch(() => null);
    if (hash !== null && hash !== block.hash)
      return { verdict: 'differs', evidence: `block ${block.number} with hash ${block.hash}; here ${hash}` };
    return { verdict: hash === null || !recorded ? 'unknown' : 'fits' };
  }

  return {
    judge,

    /** Looks again at what could not be judged yet; some at a time. The chain has gone on, or was another than thought. */
    async judgeAgain(): Promise<void> {
      known.clear();
      const rows = await database
        .selectFrom('devices')
        .select(['product', 'key_digest', 'device', 'seen', 'flags'])
        .where('view_judged', '=', 0)
        .where('seen', 'is not', null)
        .orderBy('last_seen_at')
        .limit(judgedAtOnce)
        .execute();
      for (const row of rows) {
        const { key_digest: keyDigest, device, seen, flags } = row;
        const product = row.product as ProductId;
        const view = await judge(product, JSON.parse(seen ?? 'null'));
        if (view.verdict === 'unknown') continue;
        const flag = flagOfView(view, nowSeconds());
        await database.transaction().execute(async (transaction) => {
          const judged = await transaction
            .updateTable('devices')
            .set({ view_judged: 1, ...(flag && { flags: withFlag(flags, flag) }) })
            .where('product', '=', product)
            .where('key_digest', '=', keyDigest)
            .where('seen', '=', seen)
            .returning('device')
            .execute();
          // It has sent a newer receipt meanwhile, which is judged by itself.
          if (judged.length === 0 || flag === null) return;
          await onFlag(transaction, { product, keyDigest, device, flag, before: flags });
        });
      }
    },
  };
}
