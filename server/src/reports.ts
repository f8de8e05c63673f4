import {
  FirmproofError,
  type ProductId,
  type ReportSummary,
  reportSummarySchema,
  requireReportSignature,
  type SignedReport,
} from '@firmproof/protocol';
import type { Database } from './database/database.ts';

export type Reports = ReturnType<typeof createReports>;

/**
 * What devices report of releases: the last report of each device key. Nobody has enrolled the keys, so this counts what
 * devices say, bounded, and proves nothing.
 */
export function createReports(options: {
  readonly database: Database;
  /** Device keys of a product that are counted at most. */
  readonly maximumDevices: number;
  readonly nowSeconds: () => number;
}) {
  const { database, maximumDevices, nowSeconds } = options;

  async function devicesOf(product: ProductId): Promise<number> {
    const { devices } = await database
      .selectFrom('device_reports')
      .select(({ fn }) => fn.countAll().as('devices'))
      .where('product', '=', product)
      .executeTakeFirstOrThrow();
    return Number(devices);
  }

  async function requireRelease(product: ProductId, { version, image }: SignedReport['report']): Promise<void> {
    const release = await database
      .selectFrom('releases')
      .select('image')
      .where('product', '=', product)
      .where('version', '=', version)
      .executeTakeFirst();
    if (release?.image !== image)
      throw new FirmproofError('report-invalid', `the product has no release ${version} with this image`);
  }

  return {
    /** @throws FirmproofError `report-invalid`, `report-replayed`, `quota-exceeded` */
    async receive(product: ProductId, signed: SignedReport): Promise<void> {
      const { report } = signed;
      if (report.product !== product) throw new FirmproofError('report-invalid', 'the report is about another product');
      requireReportSignature(signed);
      await requireRelease(product, report);
      const { device, version, image, outcome, code = null, counter, time } = report;
      const said = { version, image, outcome, code, counter, time, received_at: nowSeconds() };
      const known = await database
        .selectFrom('device_reports')
        .select('counter')
        .where('product', '=', product)
        .where('device', '=', device)
        .executeTakeFirst();
      if (!known && (await devicesOf(product)) >= maximumDevices) {
        throw new FirmproofError('quota-exceeded', `reports of ${maximumDevices} devices are kept, and no more`);
      }
      // The counter is compared where the row is written: of two at once, the higher one stays.
      const kept = await database
        .insertInto('device_reports')
        .values({ product, device, ...said })
        .onConflict((conflict) =>
          conflict.columns(['product', 'device']).doUpdateSet(said).where('device_reports.counter', '<', counter),
        )
        .returning('counter')
        .execute();
      if (kept.length === 0) throw new FirmproofError('report-replayed', `a report ${counter} or later came before`);
    },

    async summary(product: ProductId): Promise<ReportSummary> {
      const rows = await database
        .selectFrom('device_reports')
        .select(({ fn }) => ['version', 'outcome', fn.countAll().as('devices')])
        .where('product', '=', product)
        .groupBy(['version', 'outcome'])
        .orderBy('version')
        .orderBy('outcome')
        .execute();
      const counts = rows.map(({ version, outcome, devices }) => ({ version, outcome, devices: Number(devices) }));
      const devices = counts.reduce((sum, count) => sum + count.devices, 0);
      return reportSummarySchema.parse({ product, devices, full: devices >= maximumDevices, counts });
    },
  };
}
