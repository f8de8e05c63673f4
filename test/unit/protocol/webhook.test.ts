import { createHmac, randomBytes } from 'node:crypto';
import {
  parseWebhookSecret,
  signWebhook,
  verifyWebhook,
  type WebhookHeaders,
  type WebhookSecret,
  webhookSecretOf,
} from '@firmproof/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';

const secret = webhookSecretOf(randomBytes(32));
const now = 1_800_000_000;
const message = { id: 'msg_1', timestamp: now, body: '{"code":"release-unannounced"}' };

const received = (headers: WebhookHeaders, body = message.body) => ({
  id: headers['webhook-id'],
  timestamp: headers['webhook-timestamp'],
  signature: headers['webhook-signature'],
  body,
});

test('signs as Standard Webhooks has it', () => {
  // The example of the specification's own libraries.
  const known = parseWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const signed = signWebhook(
    { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' },
    known,
  );
  expect(signed['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('any receiver with an HMAC agrees, whatever the body', () => {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (body) => {
      const signed = signWebhook({ ...message, body }, secret);
      const code = createHmac('sha256', key).update(`${message.id}.${now}.${body}`).digest('base64');
      expect(signed['webhook-signature']).toBe(`v1,${code}`);
      expect(verifyWebhook(received(signed, body), [secret], now)).toBe(message.id);
    }),
  );
});

test('a changed body, id, time or secret is refused', async () => {
  const good = received(signWebhook(message, secret));
  const check =
    (changed: Partial<typeof good>, secrets: readonly WebhookSecret[] = [secret]) =>
    () =>
      verifyWebhook({ ...good, ...changed }, secrets, now);
  await expectCode('webhook-signature-invalid', check({ body: `${good.body} ` }));
  await expectCode('webhook-signature-invalid', check({ id: 'msg_2' }));
  await expectCode('webhook-signature-invalid', check({ timestamp: String(now + 1) }));
  await expectCode('webhook-signature-invalid', check({}, [webhookSecretOf(randomBytes(32))]));
  await expectCode('webhook-signature-invalid', check({}, []));
  await expectCode('webhook-signature-invalid', check({ signature: good.signature.replace('v1,', 'v2,') }));
  await expectCode('webhook-signature-invalid', check({ signature: 'v1,' }));
});

test('while secrets change, either one verifies', () => {
  const next = webhookSecretOf(randomBytes(64));
  const both = received(signWebhook(message, next, secret));
  expect(both.signature.split(' ')).toHaveLength(2);
  expect(verifyWebhook(both, [secret], now)).toBe(message.id);
  expect(verifyWebhook(both, [next], now)).toBe(message.id);
});

test('a message is a replay after five minutes, and never without its headers', async () => {
  const good = received(signWebhook(message, secret));
  expect(verifyWebhook(good, [secret], now + 300)).toBe(message.id);
  await expectCode('webhook-expired', () => verifyWebhook(good, [secret], now + 301));
  await expectCode('webhook-expired', () => verifyWebhook(good, [secret], now - 301));
  for (const missing of ['id', 'timestamp', 'signature']) {
    await expectCode('webhook-malformed', () => verifyWebhook({ ...good, [missing]: null }, [secret], now));
  }
  for (const timestamp of ['', '1e9', '01', '-1', '1.5']) {
    await expectCode('webhook-malformed', () => verifyWebhook({ ...good, timestamp }, [secret], now));
  }
  await expectCode('webhook-malformed', () => signWebhook({ ...message, id: 'a.b' }, secret));
});

test('a secret is whsec_ and 24 to 64 bytes; what is none is never shown', async () => {
  for (const bytes of [24, 64])
    expect(parseWebhookSecret(`${webhookSecretOf(randomBytes(bytes))}\n`)).toMatch(/^whsec_/);
  for (const text of [
    '',
    'hunter2',
    `whsec_${randomBytes(23).toString('base64')}`,
    'whsec_????',
    randomBytes(32).toString('base64'),
  ]) {
    await expectCode('webhook-secret-invalid', () => parseWebhookSecret(text));
  }
  expect(() => parseWebhookSecret('hunter2hunter2')).toThrow(/^(?!.*hunter2)/);
});
