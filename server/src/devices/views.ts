import type { ProductId, Receipt } from '@firmproof/protocol';
import { type Rpc, readBlock } from '@firmproof/protocol/node';
import type { Database } from '../database/database.ts';
import { withFlag } from './device-rows.ts';

const maximumKnownBlocks = 1000;
const judgedAtOnce = 50;

type Seen = NonNullable<Receipt['seen']>;

/** fits: so far as the chain is known here. unknown: the device was shown more than is known here yet. */
export type View =
  | { readonly verdict: 'fits' | 'unknown' }
  | { readonly verdict: 'differs'; readonly evidence: string };

export type Views = ReturnType<typeof createViews>;

/** Compares what devices were shown of the chain with the chain as this server knows it (S4). */
export function createViews({
  database,
  rpc,
  nowSeconds,
}: {
  readonly database: Database;
  readonly rpc: Rpc;
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
        .select(['product', 'key_digest', 'seen', 'flags'])
        .where('view_judged', '=', 0)
        .where('seen', 'is not', null)
        .orderBy('last_seen_at')
        .limit(judgedAtOnce)
        .execute();
      for (const { product, key_digest, seen, flags } of rows) {
        const view = await judge(product as ProductId, JSON.parse(seen ?? 'null'));
        if (view.verdict === 'unknown') continue;
        const flag = view.verdict === 'differs' && {
          flags: withFlag(flags, { code: 'split-view', at: nowSeconds(), evidence: view.evidence }),
        };
        await database
          .updateTable('devices')
          .set({ view_judged: 1, ...flag })
          .where('product', '=', product)
          .where('key_digest', '=', key_digest)
          .where('seen', '=', seen)
          .execute();
      }
    },
  };
}
