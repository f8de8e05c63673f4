import {
  changesOf,
  dayOfReceipt,
  type FleetTimeline,
  fleetDays,
  fleetTimelineSchema,
  type ProductId,
  sortedOutcomes,
  type Version,
} from '@firmproof/protocol';
import { sql, type Transaction } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { Received } from './receipts.ts';

/** How many kinds of outcomes are told: versions and codes are what devices say. */
const maximumOutcomeRows = 10_000;

/** Counts a receipt once, where it is kept: however large the fleet is, nobody counts it again when somebody looks. */
export async function countReceipt(
  transaction: Transaction<Tables>,
  { product, receipt, now }: Pick<Received, 'product' | 'receipt' | 'now'>,
  before: string | null,
): Promise<void> {
  const { running, outcome, time } = receipt;
  for (const change of changesOf(dayOfReceipt(time, now), before as Version | null, running.version))
    await transaction
      .insertInto('fleet_changes')
      .values({ product, ...change })
      .onConflict((on) =>
        on
          .columns(['product', 'day', 'version'])
          .doUpdateSet({ devices: sql`fleet_changes.devices + excluded.devices` }),
      )
      .execute();
  if (outcome)
    await transaction
      .insertInto('fleet_outcomes')
      .values({ product, version: outcome.version, result: outcome.result, code: outcome.code ?? '', receipts: 1 })
      .onConflict((on) =>
        on
          .columns(['product', 'version', 'result', 'code'])
          .doUpdateSet({ receipts: sql`fleet_outcomes.receipts + 1` }),
      )
      .execute();
}

/** What the fleet of a product has run, day by day. */
export function createFleetTimeline(database: Database) {
  return {
    async read(product: ProductId): Promise<FleetTimeline> {
      const changes = await database
        .selectFrom('fleet_changes')
        .where('product', '=', product)
        .select(['day', 'version', 'devices'])
        .execute();
      const outcomes = await database
        .selectFrom('fleet_outcomes')
        .where('product', '=', product)
        .select(['version', 'result', 'code', 'receipts'])
        .orderBy('receipts', 'desc')
        .limit(maximumOutcomeRows)
        .execute();
      const timeline = fleetTimelineSchema.parse({
        product,
        days: fleetDays(
          changes.map(({ day, version, devices }) => ({
            day: Number(day),
            version: version as Version,
            devices: Number(devices),
          })),
        ),
        outcomes: outcomes.map(({ code, receipts, ...rest }) => ({
          ...rest,
          code: code || null,
          receipts: Number(receipts),
        })),
      });
      return { ...timeline, outcomes: sortedOutcomes(timeline.outcomes) };
    },
  };
}
