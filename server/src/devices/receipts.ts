import {
  FirmproofError,
  type ProductId,
  type PublicKey,
  parseReceipt,
  type Receipt,
  readMessageSignature,
  receiptMaximumAgeSeconds,
  receiptTag,
  type Sha256Digest,
  sha256,
} from '@firmproof/protocol';
import { verifyMessage } from '@firmproof/protocol/node/message-signature';
import type { Transaction } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { FlagWatcher } from '../webhooks/other-events.ts';
import { type DeviceRow, devicesNamed, stateOf, withFlag } from './device-rows.ts';
import { countReceipt } from './fleet-timeline.ts';
import type { SignedMessage } from './signed-message.ts';
import { flagOfView, type View, type Views } from './views.ts';

/** The newest of each device, the outcomes before those too, and what speaks of a second one with its key (S3.6). */
const keptReceipts = 16;
const keptOutcomes = 256;
const keptClones = 4;

type Reception = 'taken' | 'known' | 'clone-suspected' | 'replayed';

/** Receipts of enrolled devices (S1, S3, S4 of docs/spec/receipts.md). */
export function createReceipts({
  database,
  views,
  onFlag,
  mayStillSend,
  nowSeconds,
}: {
  readonly database: Database;
  readonly views: Views;
  readonly onFlag: FlagWatcher;
  /** Whether this key may still send one in this minute. */
  readonly mayStillSend: (keyDigest: string) => boolean;
  readonly nowSeconds: () => number;
}) {
  /** The device whose key it is. Unknown keys cost one look, and no signature is verified for them (S3.1). */
  async function requireEnrolled(
    product: ProductId,
    keyDigest: Sha256Digest,
  ): Promise<DeviceRow & { public_key: PublicKey }> {
    const [row] = await devicesNamed(database, product, keyDigest);
    if (row && stateOf(row) === 'revoked') throw new FirmproofError('device-revoked', 'the device is revoked');
    if (row?.key_digest !== keyDigest || row.state !== 'enrolled' || row.public_key === null)
      throw new FirmproofError('device-not-enrolled', 'no enrolled device has this key');
    return row as DeviceRow & { public_key: PublicKey };
  }

  return {
    /**
     * Takes a receipt once; the same again changes nothing.
     * @throws FirmproofError `message-unsigned`, `message-expired`, `device-not-enrolled`, `device-revoked`,
     * `message-digest-mismatch`, `message-signature-invalid`, `quota-exceeded`, `receipt-malformed`, `clone-suspected`,
     * `receipt-replayed`
     */
    async receive(product: ProductId, message: SignedMessage): Promise<void> {
      const now = nowSeconds();
      const { keyDigest } = readMessageSignature(message.headers, {
        tag: receiptTag,
        nowSeconds: now,
        maximumAgeSeconds: receiptMaximumAgeSeconds,
      });
      const row = await requireEnrolled(product, keyDigest);
      verifyMessage(message, row.public_key);
      if (!mayStillSend(keyDigest)) throw new FirmproofError('quota-exceeded', 'this device sends too many receipts');
      const receipt = parseReceipt(message.body);
      if (receipt.product !== product || receipt.device !== row.device)
        throw new FirmproofError('receipt-malformed', 'the receipt is about another product or device');
      const view: View = receipt.seen ? await views.judge(product, receipt.seen) : { verdict: 'fits' };
      const reception = await database
        .transaction()
        .execute((transaction) => keep(transaction, { product, keyDigest, receipt, message, view, now }, onFlag));
      if (reception === 'clone-suspected')
        throw new FirmproofError(
          'clone-suspected',
          `another receipt of this device has counter ${receipt.counter} or a later one`,
        );
      if (reception === 'replayed')
        throw new FirmproofError('receipt-replayed', `counter ${receipt.counter} lies before those that are kept`);
    },
  };
}

export type Received = {
  readonly product: ProductId;
  readonly keyDigest: Sha256Digest;
  readonly receipt: Receipt;
  readonly message: SignedMessage;
  readonly view: View;
  readonly now: number;
};

/** What is known is read where it is written: of two at once, one comes first. */
async function keep(transaction: Transaction<Tables>, received: Received, onFlag: FlagWatcher): Promise<Reception> {
  const { product, keyDigest, receipt, message, now } = received;
  const digest = sha256(new TextEncoder().encode(message.body));
  const log = transaction
    .selectFrom('device_receipts')
    .where('product', '=', product)
    .where('key_digest', '=', keyDigest);
  const same = await log
    .select('clone_suspected')
    .where('counter', '=', receipt.counter)
    .where('digest', '=', digest)
    .executeTakeFirst();
  if (same) return same.clone_suspected === 1 ? 'clone-suspected' : 'known';
  const device = await transaction
    .selectFrom('devices')
    .select(['counter', 'flags', 'running_version'])
    .where('product', '=', product)
    .where('key_digest', '=', keyDigest)
    .executeTakeFirstOrThrow();
  const clone = device.counter !== null && receipt.counter <= Number(device.counter);
  if (clone) {
    // Below the newest, of which all are kept, nobody can tell a replay from a clone.
    const oldest = await oldestOfNewest(transaction, received, keptReceipts);
    if (oldest !== null && receipt.counter < oldest) return 'replayed';
    const clones = await log.select('counter').where('clone_suspected', '=', 1).execute();
    if (clones.length >= keptClones) return 'clone-suspected';
  }
  await transaction
    .insertInto('device_receipts')
    .values({
      product,
      key_digest: keyDigest,
      counter: receipt.counter,
      kind: receipt.kind,
      digest,
      body: message.body,
      signature_input: String(message.headers['signature-input']),
      signature: String(message.headers['signature']),
      received_at: now,
      clone_suspected: clone ? 1 : 0,
    })
    .execute();
  const flag = clone
    ? ({ code: 'clone-suspected', at: now, evidence: `counter ${receipt.counter} twice` } as const)
    : flagOfView(received.view, now);
  const change = {
    ...(!clone && newestState(received)),
    ...(flag && { flags: withFlag(device.flags, flag) }),
  };
  await transaction
    .updateTable('devices')
    .set(change)
    .where('product', '=', product)
    .where('key_digest', '=', keyDigest)
    .execute();
  if (flag) await onFlag(transaction, { product, keyDigest, device: receipt.device, flag, before: device.flags });
  if (clone) return 'clone-suspected';
  await countReceipt(transaction, received, device.running_version);
  await prune(transaction, received);
  return 'taken';
}

function newestState({ receipt, view, now }: Received): Partial<Tables['devices']> {
  const { counter, running, outcome, seen, agentVersion } = receipt;
  return {
    counter,
    last_seen_at: now,
    running_version: running.version,
    running_image: running.image,
    ...(outcome && { outcome: JSON.stringify({ ...outcome, before: undefined }) }),
    seen: seen === null ? null : JSON.stringify(seen),
    view_judged: view.verdict === 'unknown' ? 0 : 1,
    agent_version: agentVersion,
  };
}

/** The lowest counter among so many of the newest; null where there are fewer. */
async function oldestOfNewest(
  transaction: Transaction<Tables>,
  { product, keyDigest }: Received,
  count: number,
  kind?: Receipt['kind'],
): Promise<number | null> {
  let query = transaction
    .selectFrom('device_receipts')
    .select('counter')
    .where('product', '=', product)
    .where('key_digest', '=', keyDigest)
    .where('clone_suspected', '=', 0);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  const row = await query
    .orderBy('counter', 'desc')
    .offset(count - 1)
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : Number(row.counter);
}

/** Outcomes are the register of what was ever installed: what is alive day after day does not push them out. */
async function prune(transaction: Transaction<Tables>, received: Received): Promise<void> {
  const drop = transaction
    .deleteFrom('device_receipts')
    .where('product', '=', received.product)
    .where('key_digest', '=', received.keyDigest)
    .where('clone_suspected', '=', 0);
  const oldest = await oldestOfNewest(transaction, received, keptReceipts);
  if (oldest === null) return;
  await drop.where('counter', '<', oldest).where('kind', '=', 'heartbeat').execute();
  const oldestOutcome = await oldestOfNewest(transaction, received, keptOutcomes, 'outcome');
  if (oldestOutcome !== null) await drop.where('counter', '<', Math.min(oldest, oldestOutcome)).execute();
}
