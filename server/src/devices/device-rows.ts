import { type DeviceResource, deviceResourceSchema, FirmproofError, type ProductId } from '@firmproof/protocol';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';

export type DeviceRow = Tables['devices'] & { readonly revoked_at: number | null };

/** Devices with what the chain says of them (S2.6 of docs/spec/receipts.md, N7.1 of docs/spec/device-anchor.md). */
export const devicesOf = (database: Database, product: ProductId) =>
  database
    .selectFrom('devices')
    .leftJoin('revoked_devices', (join) =>
      join.onRef('revoked_devices.product', '=', 'devices.product').onRef('revoked_devices.leaf', '=', 'devices.leaf'),
    )
    .where('devices.product', '=', product);

/** Revoked by this server or on chain, pending or enrolled. */
export const effectiveState = sql<string>`case when revoked_devices.leaf is not null then 'revoked' else devices.state end`;

export const stateOf = ({ state, revoked_at }: DeviceRow): string => (revoked_at === null ? state : 'revoked');

/** All devices that a name may mean: its id, or the digest of its key. */
export const devicesNamed = (database: Database, product: ProductId, name: string): Promise<DeviceRow[]> =>
  devicesOf(database, product)
    .selectAll('devices')
    .select('revoked_devices.revoked_at')
    .where((where) => where.or([where('devices.key_digest', '=', name), where('devices.device', '=', name)]))
    .orderBy(sql`devices.state = 'enrolled'`, 'desc')
    .limit(2)
    .execute();

/** @throws FirmproofError `device-not-found`, also where several wait under one id */
export async function deviceNamed(database: Database, product: ProductId, name: string): Promise<DeviceRow> {
  const [first, second] = await devicesNamed(database, product, name);
  if (!first) throw new FirmproofError('device-not-found', `no device ${name}`);
  if (second && first.state !== 'enrolled')
    throw new FirmproofError('device-not-found', `several devices call themselves ${name}`);
  return first;
}

const numberOrNull = (value: number | null) => (value === null ? null : Number(value));

export const deviceResource = (row: DeviceRow): DeviceResource =>
  deviceResourceSchema.parse({
    product: row.product,
    device: row.device,
    keyDigest: row.key_digest,
    state: stateOf(row),
    revokedOnChain: row.revoked_at !== null,
    enrolledBy: row.enrolled_by,
    hasKey: row.public_key !== null,
    hardware: row.hardware,
    askedAt: Number(row.asked_at),
    lastSeenAt: numberOrNull(row.last_seen_at),
    counter: numberOrNull(row.counter),
    running: row.running_version === null ? null : { version: row.running_version, image: row.running_image },
    outcome: row.outcome === null ? null : JSON.parse(row.outcome),
    seen: row.seen === null ? null : JSON.parse(row.seen),
    agentVersion: row.agent_version,
    flags: JSON.parse(row.flags),
  });

/** The flags with one more; of each kind the newest is kept. */
export function withFlag(flags: string, flag: DeviceResource['flags'][number]): string {
  const others = (JSON.parse(flags) as DeviceResource['flags']).filter(({ code }) => code !== flag.code);
  return JSON.stringify([...others, flag]);
}
