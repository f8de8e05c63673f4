import { randomBytes } from 'node:crypto';
import {
  type DeviceResource,
  deviceLeaf,
  type Enrolment,
  type EnrolmentAnswer,
  FirmproofError,
  type ProductId,
  parseBytes32,
  type Sha256Digest,
} from '@firmproof/protocol';
import type { Transaction } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { By, ServerLog } from '../log/server-log.ts';
import type { ClaimTokens } from './claim-tokens.ts';
import { deviceNamed, deviceResource, devicesNamed, stateOf } from './device-rows.ts';

/** Who has asked for so long and was not accepted makes room for others. */
const patienceSeconds = 30 * 86_400;

/** A salt, and the leaf that the chain would know the device by (N1 of docs/spec/device-anchor.md). */
export function saltedLeaf(product: ProductId, keyDigest: Sha256Digest, given: string | null = null) {
  const salt = parseBytes32(given ?? `0x${randomBytes(32).toString('hex')}`);
  return { salt, leaf: deviceLeaf(product, keyDigest, salt) };
}

/** How devices become enrolled one by one: by a claim token, or because somebody accepts them (S2). */
export function createEnrolments(options: {
  readonly database: Database;
  readonly serverLog: ServerLog;
  readonly claimTokens: ClaimTokens;
  /** Devices of a product that wait to be accepted, at most. */
  readonly maximumPending: number;
  readonly nowSeconds: () => number;
}) {
  const { database, serverLog, claimTokens, maximumPending, nowSeconds } = options;

  async function requireRoom(transaction: Transaction<Tables>, product: ProductId): Promise<void> {
    const waiting = transaction.selectFrom('devices').where('product', '=', product).where('state', '=', 'pending');
    const count = async () =>
      Number((await waiting.select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow()).count);
    if ((await count()) < maximumPending) return;
    await transaction
      .deleteFrom('devices')
      .where('product', '=', product)
      .where('state', '=', 'pending')
      .where('asked_at', '<', nowSeconds() - patienceSeconds)
      .execute();
    if ((await count()) >= maximumPending)
      throw new FirmproofError('quota-exceeded', `${maximumPending} devices wait to be accepted, and no more can`);
  }

  async function requireFreeId(transaction: Transaction<Tables>, product: ProductId, device: string): Promise<void> {
    const taken = await transaction
      .selectFrom('devices')
      .select('key_digest')
      .where('product', '=', product)
      .where('device', '=', device)
      .where('state', '=', 'enrolled')
      .executeTakeFirst();
    if (taken) throw new FirmproofError('device-exists', 'another key is enrolled under this device id');
  }

  return {
    /**
     * What a device asks for whose signature holds. The same again changes nothing.
     * @throws FirmproofError `device-revoked`, `device-exists`, `claim-token-invalid`, `quota-exceeded`
     */
    async enrol(product: ProductId, request: Enrolment, keyDigest: Sha256Digest): Promise<EnrolmentAnswer> {
      const { device, publicKey, hardware, claimToken } = request;
      const answer = (state: 'enrolled' | 'pending') => ({ product, device, state });
      return database.transaction().execute(async (transaction) => {
        const [known] = await devicesNamed(transaction, product, keyDigest);
        if (known && stateOf(known) === 'revoked') throw new FirmproofError('device-revoked', 'the device is revoked');
        if (known && known.device !== device)
          throw new FirmproofError('device-exists', 'this key came under another device id before');
        const own = transaction
          .updateTable('devices')
          .where('product', '=', product)
          .where('key_digest', '=', keyDigest);
        if (known?.state === 'enrolled') {
          await own.set({ public_key: publicKey, hardware }).execute();
          return answer('enrolled');
        }
        if (known && claimToken === undefined) return answer('pending');
        await requireFreeId(transaction, product, device);
        if (claimToken === undefined) await requireRoom(transaction, product);
        else await claimTokens.spend(transaction, product, claimToken);
        const state = claimToken === undefined ? 'pending' : 'enrolled';
        const enrolledBy = claimToken === undefined ? null : 'claim-token';
        if (known) await own.set({ state, enrolled_by: enrolledBy }).execute();
        else {
          const row = { product, key_digest: keyDigest, device, public_key: publicKey, hardware, state };
          await transaction
            .insertInto('devices')
            .values({
              ...row,
              ...saltedLeaf(product, keyDigest),
              enrolled_by: enrolledBy,
              asked_at: nowSeconds(),
              view_judged: 1,
              flags: '[]',
            })
            .execute();
        }
        return answer(state);
      });
    },

    /**
     * Enrols a device that waits or was rejected; of one that is enrolled, takes back the flags: somebody has looked.
     * @throws FirmproofError `device-not-found`, `device-revoked` for one that is revoked on chain, `device-exists`
     */
    async accept(product: ProductId, name: string, by: By): Promise<DeviceResource> {
      return database.transaction().execute(async (transaction) => {
        const row = await deviceNamed(transaction, product, name);
        if (row.revoked_at !== null) throw new FirmproofError('device-revoked', 'the device is revoked on chain');
        const own = transaction
          .updateTable('devices')
          .where('product', '=', product)
          .where('key_digest', '=', row.key_digest);
        if (row.state === 'enrolled') await own.set({ flags: '[]' }).execute();
        else {
          await requireFreeId(transaction, product, row.device);
          await own.set({ state: 'enrolled', enrolled_by: row.enrolled_by ?? 'acceptance' }).execute();
        }
        const details = { device: row.device, before: row.state };
        const event = { action: 'device-accepted', subject: row.key_digest, details } as const;
        await serverLog.appendForProduct(transaction, product, by, event);
        return deviceResource(await deviceNamed(transaction, product, row.key_digest));
      });
    },

    /** Takes nothing of a device any more, one that waits or one that is enrolled. @throws FirmproofError `device-not-found` */
    async reject(product: ProductId, name: string, by: By): Promise<DeviceResource> {
      return database.transaction().execute(async (transaction) => {
        const { key_digest, device, state } = await deviceNamed(transaction, product, name);
        await transaction
          .updateTable('devices')
          .set({ state: 'revoked' })
          .where('product', '=', product)
          .where('key_digest', '=', key_digest)
          .execute();
        const details = { device, before: state };
        const event = { action: 'device-rejected', subject: key_digest, details } as const;
        await serverLog.appendForProduct(transaction, product, by, event);
        return deviceResource(await deviceNamed(transaction, product, key_digest));
      });
    },
  };
}
