import { type ProductId, type Sha256Digest, type StoredReceipt, storedReceiptSchema } from '@firmproof/protocol';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';

/** Where a page begins: behind this receipt. */
const position = /^([0-9a-f]{64}) (\d{1,16}) ([0-9a-f]{64})$/;

/** Where the receipts of the first device begin whose key has this digest or a higher one. */
export const positionBefore = (keyDigest: Sha256Digest): string => `${keyDigest} 0 ${'0'.repeat(64)}`;

/** The receipts that are kept, as they were signed: who reads them need not believe this server (S3.8 of docs/spec/receipts.md). */
export function createReceiptRegister({ database }: { readonly database: Database }) {
  return {
    /** Device by device, each in the order of its counters. One more than the limit, where there is one more. */
    async rows(
      product: ProductId,
      options: { readonly limit: number; readonly after: string | null; readonly outcomes: boolean },
    ): Promise<readonly { readonly key: string; readonly receipt: StoredReceipt }[]> {
      let query = database
        .selectFrom('device_receipts')
        .innerJoin('devices', (join) =>
          join
            .onRef('devices.product', '=', 'device_receipts.product')
            .onRef('devices.key_digest', '=', 'device_receipts.key_digest'),
        )
        .where('device_receipts.product', '=', product)
        .where('devices.public_key', 'is not', null)
        .selectAll('device_receipts')
        .select('devices.public_key')
        .orderBy('device_receipts.key_digest')
        .orderBy('device_receipts.counter')
        .orderBy('device_receipts.digest')
        .limit(options.limit + 1);
      if (options.outcomes) query = query.where('device_receipts.kind', '=', 'outcome');
      const [, keyDigest, counter, digest] = position.exec(options.after ?? '') ?? [];
      if (keyDigest !== undefined)
        query = query.where(
          sql<boolean>`(device_receipts.key_digest, device_receipts.counter, device_receipts.digest) > (${keyDigest}, ${Number(counter)}, ${digest})`,
        );
      const rows = await query.execute();
      return rows.map((row) => ({
        key: `${row.key_digest} ${row.counter} ${row.digest}`,
        receipt: storedReceiptSchema.parse({
          keyDigest: row.key_digest,
          publicKey: row.public_key,
          body: row.body,
          signatureInput: row.signature_input,
          signature: row.signature,
          receivedAt: Number(row.received_at),
          cloneSuspected: row.clone_suspected === 1,
        }),
      }));
    },
  };
}
