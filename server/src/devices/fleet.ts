import {
  type DeviceResource,
  deviceListHeader,
  type EnrolmentState,
  type FleetSummary,
  fleetSummarySchema,
  maximumBatchDevices,
  type ProductId,
} from '@firmproof/protocol';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { type DeviceRow, deviceNamed, deviceResource, devicesOf, effectiveState } from './device-rows.ts';

const rowsAtOnce = 1000;

/** The devices of a product, as its vendor looks at them. */
export function createFleet({ database }: { readonly database: Database }) {
  return {
    /** In the order of their key digests. One more than the limit, where there is one more. */
    rows(
      product: ProductId,
      options: {
        readonly limit: number;
        readonly after: string | null;
        readonly state: EnrolmentState | null;
        readonly flagged: boolean;
      },
    ): Promise<DeviceRow[]> {
      const { limit, after, state, flagged } = options;
      let query = devicesOf(database, product)
        .selectAll('devices')
        .select('revoked_devices.revoked_at')
        .orderBy('devices.key_digest')
        .limit(limit + 1);
      if (after !== null) query = query.where('devices.key_digest', '>', after);
      if (state !== null) query = query.where(effectiveState, '=', state);
      if (flagged) query = query.where('devices.flags', '<>', '[]');
      return query.execute();
    },

    /** By its id or the digest of its key. @throws FirmproofError `device-not-found` */
    row: (product: ProductId, name: string): Promise<DeviceRow> => deviceNamed(database, product, name),

    /** @throws FirmproofError `device-not-found` */
    async device(product: ProductId, name: string): Promise<DeviceResource> {
      return deviceResource(await deviceNamed(database, product, name));
    },

    async summary(product: ProductId): Promise<FleetSummary> {
      const states = await devicesOf(database, product)
        .select([
          effectiveState.as('state'),
          sql<number>`count(*)`.as('devices'),
          sql<number>`sum(case when devices.flags <> '[]' then 1 else 0 end)`.as('flagged'),
          sql<number>`sum(case when devices.last_seen_at is not null then 1 else 0 end)`.as('heard'),
        ])
        // By the expression: a bare name would be the column of this server's own state.
        .groupBy(effectiveState)
        .execute();
      const running = await devicesOf(database, product)
        .where(effectiveState, '=', 'enrolled')
        .where('devices.running_version', 'is not', null)
        .select(['devices.running_version as version', 'devices.running_image as image'])
        .select(({ fn }) => fn.countAll().as('devices'))
        .groupBy(['devices.running_version', 'devices.running_image'])
        .orderBy('devices.running_version')
        .execute();
      const of = (wanted: EnrolmentState) => states.find(({ state }) => state === wanted);
      return fleetSummarySchema.parse({
        product,
        enrolled: Number(of('enrolled')?.devices ?? 0),
        pending: Number(of('pending')?.devices ?? 0),
        revoked: Number(of('revoked')?.devices ?? 0),
        flagged: states.reduce((sum, { flagged }) => sum + Number(flagged), 0),
        heard: Number(of('enrolled')?.heard ?? 0),
        running: running.map(({ version, image, devices }) => ({ version, image, devices: Number(devices) })),
      });
    },

    /**
     * Enrolled devices as a list to anchor (N4 of docs/spec/device-anchor.md), some lines at a time; with `without`, those that
     * have other leaves, and no more than one list may name.
     */
    async *list(product: ProductId, without?: ReadonlySet<string>): AsyncGenerator<string> {
      let room = without ? maximumBatchDevices : Number.POSITIVE_INFINITY;
      yield `${deviceListHeader}\n`;
      let after = '';
      while (room > 0) {
        const rows = await devicesOf(database, product)
          .where(effectiveState, '=', 'enrolled')
          .where('devices.key_digest', '>', after)
          .select(['devices.device', 'devices.key_digest', 'devices.salt', 'devices.leaf'])
          .orderBy('devices.key_digest')
          .limit(rowsAtOnce)
          .execute();
        const last = rows.at(-1);
        if (!last) return;
        const listed = rows.filter(({ leaf }) => !without?.has(leaf)).slice(0, room);
        yield listed.map(({ device, key_digest, salt }) => `${device},${key_digest},${salt}\n`).join('');
        room -= listed.length;
        after = last.key_digest;
      }
    },
  };
}
