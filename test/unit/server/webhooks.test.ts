// The outbox and who delivers it, with a clock that the test turns: what two days of failures come to, and what a reorganisation does.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Address,
  type ProductId,
  verifyWebhook,
  type WebhookSecret,
  webhookBodySchema,
  zeroAddress,
} from '@firmproof/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../server/src/database/database.ts';
import { createServerLog } from '../../../server/src/log/server-log.ts';
import { createProposalStore } from '../../../server/src/proposals/proposal-store.ts';
import { createDeliveryWorker } from '../../../server/src/webhooks/delivery-worker.ts';
import { flagsTo, proposalEventsTo } from '../../../server/src/webhooks/other-events.ts';
import { createOutbox } from '../../../server/src/webhooks/outbox.ts';
import { prune } from '../../../server/src/webhooks/pruning.ts';
import { pauseSeconds } from '../../../server/src/webhooks/schedule.ts';
import type { Answer } from '../../../server/src/webhooks/sender.ts';
import { createWebhookStore } from '../../../server/src/webhooks/webhook-store.ts';
import { expectCode } from '../../support/expect-code.ts';
import { eventually, temporaryDirectory } from '../../support/stack.ts';

const publisher = `0x${'22'.repeat(20)}` as Address;
const product = `0x${'33'.repeat(32)}`;
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}` as WebhookSecret;

let directory: string;
let database: Database;
let now: number;
const nowSeconds = () => now;

beforeEach(async () => {
  directory = temporaryDirectory();
  database = await openDatabase(join(directory, 'test.sqlite'));
  now = 1_800_000_000;
});
afterEach(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

const webhook = (id: string, events: string[], more = {}) =>
  database
    .insertInto('webhooks')
    .values({
      id,
      publisher,
      url: `https://${id}.example/`,
      events: JSON.stringify(events),
      secret,
      previous_secret: null,
      previous_secret_until: null,
      disabled_reason: null,
      failing_since: null,
      from_block: 10,
      created_at: now,
      ...more,
    })
    .execute();

const outbox = createOutbox(nowSeconds);
const inTransaction = <Result>(work: Parameters<ReturnType<Database['transaction']>['execute']>[0]) =>
  database.transaction().execute(work) as Promise<Result>;

function release(sequence: number, history: string, block = 11) {
  const at = now;
  const place = { block, sequence, history };
  return inTransaction((transaction) =>
    outbox.tell(transaction, { publisher, product, type: 'release.published', at, data: { sequence }, place }),
  );
}

const messages = () => database.selectFrom('webhook_messages').selectAll().orderBy('created_at').execute();
const deliveries = () => database.selectFrom('webhook_deliveries').selectAll().orderBy('position').execute();
const record = (sequence: number, history: string) =>
  database.insertInto('product_histories').values({ product, sequence, history }).execute();

describe('the outbox', () => {
  test('tells an event of the chain once to each who wants it, and nothing from before they came', async () => {
    await webhook('one', ['release.published']);
    await webhook('two', ['release.published', 'chain.reorganised']);
    await webhook('three', ['channel.halted']);
    await release(1, 'a', 10);
    expect(await deliveries()).toEqual([]);
    await release(2, 'b');
    await release(2, 'b');
    expect((await deliveries()).map((delivery) => delivery.webhook)).toEqual(['one', 'two']);
    expect(await messages()).toHaveLength(1);
  });

  test('takes back what a reorganisation has undone, tells what came in its place, and says so once', async () => {
    await webhook('one', ['release.published', 'chain.reorganised']);
    await release(2, 'kept');
    await release(3, 'undone');
    await record(2, 'kept');
    await record(3, 'other');
    await release(2, 'kept');
    await release(3, 'other');
    for (let time = 0; time < 2; time += 1) await inTransaction((transaction) => outbox.withdrawVanished(transaction));
    const rows = await messages();
    const undone = rows.find(({ history }) => history === 'undone');
    expect(rows.map(({ type }) => type).toSorted()).toEqual([
      'chain.reorganised',
      'release.published',
      'release.published',
      'release.published',
    ]);
    const told = rows.find(({ type }) => type === 'chain.reorganised');
    expect(webhookBodySchema.parse(JSON.parse(told?.body ?? '')).data).toEqual({
      product,
      withdrawn: [{ id: undone?.id, type: 'release.published' }],
      withdrawnCount: 1,
    });
  });

  test('tells what was taken back and has happened after all in a new message, also when the first is forgotten', async () => {
    await webhook('one', ['release.published']);
    await release(2, 'b');
    await inTransaction((transaction) => outbox.withdrawVanished(transaction));
    now += 31 * 86_400;
    await prune(database, now);
    const [first] = await messages();
    expect(first).toMatchObject({ body: '', withdrawn: 1 });
    for (let time = 0; time < 2; time += 1) await release(2, 'b');
    const again = (await messages()).filter(({ id }) => id !== first?.id);
    expect(again).toMatchObject([{ withdrawn: 0 }]);
    expect(webhookBodySchema.parse(JSON.parse(again[0]?.body ?? ''))).toMatchObject({
      sequence: 2,
      data: { sequence: 2 },
    });
    expect((await deliveries()).map(({ message }) => message)).toEqual(again.map(({ id }) => id));
  });

  test('takes 30 test messages of a publisher in an hour, also of a webhook that is made anew', async () => {
    const sender = {
      send: () => Promise.reject(new Error('nobody delivers')),
      requireAllowed: (url: string) => new URL(url),
    };
    const serverLog = createServerLog({ database, nowSeconds });
    const store = createWebhookStore({ database, outbox, serverLog, sender, nowSeconds });
    const by = { actor: 'server', account: null } as const;
    const added = () => store.add(publisher, { url: 'https://one.example/', events: ['release.published'] }, by);
    const { id } = await added();
    for (let count = 0; count < 29; count += 1) await store.test(publisher, id);
    await store.remove(publisher, id, by);
    const other = await added();
    await store.test(publisher, other.id);
    await expectCode('quota-exceeded', () => store.test(publisher, other.id));
    expect(await deliveries()).toHaveLength(1);
    now += 3600;
    expect(await store.test(publisher, other.id)).toMatchObject({ state: 'pending', type: 'webhook.test' });
  });

  test('forgets what is old, but never tells an event of the chain again', async () => {
    await webhook('one', ['release.published']);
    await release(2, 'b');
    now += 31 * 86_400;
    await prune(database, now);
    expect(await deliveries()).toEqual([]);
    await release(2, 'b');
    expect(await deliveries()).toEqual([]);
  });
});

describe('what else is told', () => {
  const types = async () => (await messages()).map(({ type }) => type);

  test('a proposal that waits for people, each time that more is missing, and how it ends', async () => {
    await webhook('one', ['proposal.waiting', 'proposal.confirmed', 'proposal.rejected']);
    const store = createProposalStore(database, nowSeconds, [proposalEventsTo(outbox)]);
    const id = `0x${'11'.repeat(32)}`;
    await store.open({
      id,
      kind: 'cancel-recovery',
      product: publisher,
      publisher,
      version: null,
      channel: null,
      image_digest: null,
      image_cid: null,
      image_size: null,
      approver: publisher,
      held: 0,
      request: { account: publisher, message: { pending: id, deadline: 2_000_000_000 } } as never,
    });
    const row = async () => (await store.find(id)) ?? Promise.reject(new Error('gone'));
    const missing = { code: 'approvals-missing', message: '1 of 2' } as const;
    await store.move(await row(), 'approving', { reason: missing });
    await store.move(await row(), 'approving', { reason: { ...missing, message: 'still 1 of 2' } });
    expect(await types()).toEqual(['proposal.waiting']);
    await store.amend(id, () => ({ approvals: '[]' }));
    await store.move(await row(), 'approving', { reason: missing });
    await store.move(await row(), 'submitted');
    await store.move(await row(), 'confirmed');
    expect((await types()).toSorted()).toEqual(['proposal.confirmed', 'proposal.waiting', 'proposal.waiting']);
  });

  test('a device that somebody should look at, once until somebody has', async () => {
    await webhook('one', ['device.flagged']);
    await database
      .insertInto('products')
      .values({
        ...{ id: product, name: 'lamp', publisher, guardian: zeroAddress, delay: 0, epoch: 1, sequence: 1 },
        ...{ top_index: 0, trust_root: '', history: '', pending: null, pending_from: 0, position: 1 },
        pending_configuration: null,
      })
      .execute();
    const flag = { code: 'clone-suspected', at: now, evidence: 'counter 7 twice' } as const;
    const flagged = { product: product as ProductId, keyDigest: 'ab', device: 'cd', flag };
    const tell = (before: string) =>
      inTransaction((transaction) => flagsTo(outbox)(transaction, { ...flagged, before }));
    await tell('[]');
    await tell(JSON.stringify([flag]));
    expect(await types()).toEqual(['device.flagged']);
    await tell(JSON.stringify([{ ...flag, code: 'split-view' }]));
    expect(await types()).toHaveLength(2);
  });
});

describe('who delivers', () => {
  const deliver = async (answer: () => Answer, until: () => Promise<boolean>, seen: string[] = []) => {
    const serverLog = createServerLog({ database, nowSeconds });
    const send = async (url: string, headers: Record<string, string>, body: string) => {
      seen.push(url);
      const at = (name: string) => headers[name] ?? null;
      const given = { id: at('webhook-id'), timestamp: at('webhook-timestamp'), signature: at('webhook-signature') };
      verifyWebhook({ ...given, body }, [secret], now);
      return answer();
    };
    const sender = { send, requireAllowed: (url: string) => new URL(url) };
    const log = { error: () => undefined };
    const worker = createDeliveryWorker({ database, serverLog, sender, firstRetrySeconds: 5, nowSeconds, log });
    worker.start();
    await eventually(
      async () => {
        worker.wake();
        return until();
      },
      (done) => done,
      'the deliveries',
    );
    await worker.stop();
    return serverLog;
  };

  test('tries for two days, longer and longer, then gives the delivery up and the webhook too, for all to see', async () => {
    await webhook('one', ['release.published']);
    await release(2, 'b');
    const waits: number[] = [];
    const log = await deliver(
      () => ({ status: 503, excerpt: 'later' }),
      async () => {
        const [row] = await deliveries();
        if (row === undefined || row.state !== 'pending') return true;
        const next = Number(row.next_attempt_at);
        if (next > now) {
          waits.push(next - now);
          now = next;
        }
        return false;
      },
    );
    const [row] = await deliveries();
    expect(row).toMatchObject({ state: 'failed' });
    expect(JSON.parse(row?.attempts ?? '')).toHaveLength(10);
    const days = waits.reduce((sum, wait) => sum + wait, 0) / 86_400;
    expect(days).toBeGreaterThanOrEqual(2);
    expect(days).toBeLessThan(2.5);
    expect(waits.length).toBeGreaterThan(8);
    const hook = await database.selectFrom('webhooks').selectAll().executeTakeFirstOrThrow();
    expect(hook.disabled_reason).toBe('nothing could be delivered for two days');
    expect((await log.page(publisher, -1, 10)).items.map(({ action }) => action)).toEqual(['webhook-disabled']);
  });

  test('lets a dead receiver hold up nobody else', async () => {
    await webhook('dead', ['release.published']);
    await webhook('alive', ['release.published']);
    await release(2, 'b');
    await release(3, 'c');
    const seen: string[] = [];
    await deliver(
      () => (seen.at(-1)?.includes('dead') ? { problem: 'no answer in time' } : { status: 200, excerpt: '' }),
      async () => (await deliveries()).every(({ attempt_count }) => Number(attempt_count) > 0),
      seen,
    );
    const states = (await deliveries()).map((delivery) => [delivery.webhook, delivery.state]);
    expect(states).toEqual([
      ['dead', 'pending'],
      ['alive', 'delivered'],
      ['dead', 'pending'],
      ['alive', 'delivered'],
    ]);
  });

  test('waits as the schedule says', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((attempts) => pauseSeconds(attempts, 5, 0.5));
    expect(waits).toEqual([5, 20, 80, 320, 1280, 5120, 20_480, 21_600, 21_600]);
    expect(pauseSeconds(8, 5, 0)).toBe(17_280);
    expect(pauseSeconds(8, 5, 1)).toBe(25_920);
  });
});
