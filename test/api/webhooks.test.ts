// Webhooks from the vendor's side: what comes, that it is signed, what becomes of it when the receiver fails, and what the log says.
import { Administration, FirmproofClient, WalletApprover, walletKey } from '@firmproof/client';
import { type WebhookEventType, type WebhookWithSecret, webhookEventTypes } from '@firmproof/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectCode } from '../support/expect-code.ts';
import {
  destroyStack,
  eventually,
  makeVendor,
  type Stack,
  stable,
  startStack,
  type TestVendor,
} from '../support/stack.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

let stack: Stack;
let lamp: TestVendor;
let admin: Administration;
let receiver: WebhookReceiver;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_WEBHOOK_RETRY_SECONDS: '1' });
  lamp = await makeVendor(stack, { name: 'lamp' });
  const client = new FirmproofClient({ server: stack.url });
  const login = await new WalletApprover(walletKey(lamp.wallet)).login(stack.url, stack.info.chainId);
  const { token } = await client.login({ ...login, scopes: ['admin'] });
  admin = new Administration(client.withToken(token), lamp.vendor.account);
});
afterAll(() => destroyStack(stack));
beforeEach(async () => {
  receiver = new WebhookReceiver();
  await receiver.start();
});
afterEach(async () => {
  for (const { id } of await admin.webhooks()) await admin.removeWebhook(id);
  await receiver.stop();
});

async function subscribe(...events: WebhookEventType[]): Promise<WebhookWithSecret> {
  const added = await admin.addWebhook({ url: receiver.url, events });
  receiver.secrets = [added.secret];
  return added;
}

const settled = (webhook: string, delivery: string) =>
  eventually(
    () => admin.delivery(webhook, delivery),
    ({ state, attemptCount }) => state !== 'pending' && attemptCount > 0,
    'the delivery',
  );
const attempted = (webhook: string, delivery: string, times = 1) =>
  eventually(
    () => admin.delivery(webhook, delivery),
    ({ attemptCount }) => attemptCount >= times,
    `${times} attempts`,
  );
const logged = async () => (await admin.log(-1, 1000)).items;

describe('a webhook', () => {
  test('tells in order what the chain has recorded, and how proposals go on; signed, and once', async () => {
    const hook = await subscribe(...webhookEventTypes);
    await lamp.publish('1.0.0', Buffer.from('webhook image'));
    await lamp.promote('1.0.0');
    await lamp.vendor.client.follow((await lamp.vendor.halt(lamp.product, stable)).id);
    await lamp.vendor.client.follow((await lamp.vendor.revoke(lamp.product, '1.0.0' as never)).id);
    const ofChain = ['release.published', 'channel.promoted', 'channel.halted', 'release.revoked'];
    await eventually(
      async () => receiver.received.length,
      (count) => count === 8,
      'eight webhooks',
    );
    expect(receiver.types.filter((type) => ofChain.includes(type))).toEqual(ofChain);
    expect(receiver.types.filter((type) => type === 'proposal.confirmed')).toHaveLength(4);
    const sequences = receiver.received.map(({ body }) => body.sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(8);
    const published = receiver.received.find(({ body }) => body.type === 'release.published');
    expect(published?.body).toMatchObject({
      publisher: lamp.vendor.account,
      data: { product: lamp.product, name: 'lamp', version: '1.0.0', rollbackIndex: 0 },
    });
    expect((await admin.deliveries(hook.id, 20)).map(({ state }) => state)).toEqual(Array(8).fill('delivered'));
  });

  test('tries again what failed, slow or not there, under the same id; and what is seen of it is bounded', async () => {
    const hook = await subscribe('release.published');
    receiver.answer(500, `\u001b[31mbroken\n${'x'.repeat(10_000)}`);
    const { id } = await admin.testWebhook(hook.id);
    const [failed] = (await attempted(hook.id, id)).attempts;
    expect(failed).toMatchObject({ status: 500 });
    expect(failed?.excerpt).toMatch(/^\[31mbroken\nx+$/);
    expect(failed?.excerpt?.length).toBeLessThanOrEqual(500);
    expect((await admin.webhooks())[0]?.failingSince).toBeGreaterThan(0);
    await receiver.stop();
    await attempted(hook.id, id, 2);
    await receiver.start();
    receiver.accept();
    await admin.redeliver(hook.id, id);
    const done = await settled(hook.id, id);
    expect(done.state).toBe('delivered');
    expect(done.attempts.at(-1)).toMatchObject({ status: 204 });
    expect(done.attempts.some(({ problem }) => problem === 'nobody listens there')).toBe(true);
    expect(new Set(receiver.received.map((message) => message.id)).size).toBe(1);
    expect((await admin.webhooks())[0]?.failingSince).toBeUndefined();
  });

  test('goes by no redirect', async () => {
    const hook = await subscribe('release.published');
    receiver.behaviour = (_request, response) =>
      response.writeHead(307, { location: `${stack.url}/v1/products` }).end('elsewhere');
    const { id } = await admin.testWebhook(hook.id);
    expect((await attempted(hook.id, id)).attempts[0]).toMatchObject({ status: 307, excerpt: 'elsewhere' });
  });

  test('is signed with both secrets while the receiver changes over', async () => {
    const hook = await subscribe('release.published');
    const changed = await admin.changeWebhookSecret(hook.id);
    expect(changed.secret).not.toBe(hook.secret);
    for (const secret of [hook.secret, changed.secret]) {
      receiver.secrets = [secret];
      await settled(hook.id, (await admin.testWebhook(hook.id)).id);
    }
    expect(receiver.received.map(({ signatures }) => signatures)).toEqual([2, 2]);
  });

  test('that is wanted no more is disabled for all to see, and loses nothing when it is enabled again', async () => {
    const hook = await subscribe('channel.halted', 'proposal.confirmed');
    receiver.answer(410);
    await attempted(hook.id, (await admin.testWebhook(hook.id)).id);
    expect((await admin.webhooks())[0]).toMatchObject({
      state: 'disabled',
      disabledReason: expect.stringMatching('410'),
    });
    await lamp.publish('2.0.0', Buffer.from('while nobody listens'));
    receiver.accept();
    receiver.received.splice(0);
    expect((await admin.enableWebhook(hook.id)).state).toBe('active');
    await eventually(
      async () => receiver.types,
      (types) => types.length === 2,
      'what was kept',
    );
    expect(receiver.types).toEqual(['webhook.test', 'proposal.confirmed']);
  });

  test('is not for others, and not for everything', async () => {
    const hook = await subscribe('release.published');
    await expectCode('webhook-not-found', () => admin.testWebhook('00000000-0000-4000-8000-000000000000'));
    await expectCode('webhook-not-found', () => admin.delivery(hook.id, '00000000-0000-4000-8000-000000000000'));
    for (const url of ['ftp://example.com/', 'https://user:password@example.com/', 'https://example.com/#part'])
      await expectCode('request-invalid', () => admin.addWebhook({ url, events: ['release.published'] }));
    for (let count = 1; count < 10; count += 1)
      await admin.addWebhook({ url: receiver.url, events: ['device.flagged'] });
    await expectCode('quota-exceeded', () => admin.addWebhook({ url: receiver.url, events: ['device.flagged'] }));
    expect((await logged()).at(-1)).toMatchObject({
      action: 'limit-refused',
      details: { limit: 'a publisher has at most 10 webhooks' },
    });
  });

  test('leaves its secret and the rest of its address nowhere (A40)', async () => {
    const hook = await subscribe('release.published');
    const seen = JSON.stringify([await admin.webhooks(), await admin.deliveries(hook.id, 10), await admin.tokens()]);
    const log = await logged();
    expect(seen).not.toContain(hook.secret);
    expect(JSON.stringify(log)).not.toContain(hook.secret);
    expect(JSON.stringify(log)).not.toContain('not-for-the-log');
    expect(log.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        'webhook-added',
        'webhook-removed',
        'webhook-secret-changed',
        'webhook-disabled',
        'webhook-enabled',
      ]),
    );
  });
});
