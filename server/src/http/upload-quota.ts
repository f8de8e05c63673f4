import { type Address, FirmproofError } from '@firmproof/protocol';
import type { Database } from '../database/database.ts';

const secondsOfADay = 86_400;

export type UploadQuota = ReturnType<typeof createUploadQuota>;

/** How much each publisher has uploaded today. */
export function createUploadQuota(options: {
  readonly database: Database;
  readonly dailyUploadBytes: number;
  readonly nowSeconds: () => number;
}) {
  const { database, dailyUploadBytes } = options;
  const today = () => Math.floor(options.nowSeconds() / secondsOfADay);

  async function uploadedToday(publisher: Address): Promise<bigint> {
    const row = await database
      .selectFrom('uploads')
      .select('bytes')
      .where('publisher', '=', publisher)
      .where('day', '=', today())
      .executeTakeFirst();
    return BigInt(row?.bytes ?? 0);
  }

  return {
    /** @throws FirmproofError `quota-exceeded` */
    async require(publisher: Address): Promise<void> {
      if ((await uploadedToday(publisher)) >= BigInt(dailyUploadBytes))
        throw new FirmproofError('quota-exceeded', `${dailyUploadBytes} bytes a day may be uploaded`);
    },

    async count(publisher: Address, sizeBytes: number): Promise<void> {
      const bytes = String((await uploadedToday(publisher)) + BigInt(sizeBytes));
      await database
        .insertInto('uploads')
        .values({ publisher, day: today(), bytes })
        .onConflict((conflict) => conflict.columns(['publisher', 'day']).doUpdateSet({ bytes }))
        .execute();
    },
  };
}
