import { randomBytes, randomUUID } from 'node:crypto';
import { FirmproofClient, Vendor, WalletApprover, walletKey } from '@firmproof/client';
import {
  type ErrorCode,
  type FirmproofError,
  FleetTally,
  pageOf,
  parseDeviceList,
  parseVersion,
  type Receipt,
  receiptTag,
  sha256,
  storedReceiptSchema,
  verifyStoredReceipt as verifyInBrowser,
} from '@firmproof/protocol';
import { verifyStoredReceipt } from '@firmproof/protocol/node/stored-receipt';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type DeviceMessage,
  deviceMessage,
  post,
  type SigningDevice,
  signingDevice,
  speaking,
} from '../support/enrolled-device.ts';
import { expectCode } from '../support/expect-code.ts';
import { problemOf } from '../support/http.ts';
import { destroyStack, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';

const maximumPending = 3;

let stack: Stack;
let publisher: TestVendor;
let speak: ReturnType<typeof speaking>;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_PENDING_DEVICES: String(maximumPending) });
  publisher = await makeVendor(stack, { name: 'lamp' });
  speak = speaking(stack.url, publisher.product);
});
afterAll(() => destroyStack(stack));

const client = () => publisher.vendor.client;
const csv = async function* (...lines: readonly string[]) {
  yield Buffer.from(`${lines.join('\n')}\n`);
};
const importing = (...lines: readonly string[]) => client().importDevices(publisher.product, csv(...lines));
const show = (device: SigningDevice) => client().device(publisher.product, device.keyDigest);
const claim = (devices = 1, lifetimeSeconds = 3600) =>
  client().mintClaimToken(publisher.product, { devices, lifetimeSeconds });

async function answered(message: DeviceMessage): Promise<{ status: number; body: unknown }> {
  const response = await post(message);
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

async function refused(status: number, code: ErrorCode, message: DeviceMessage): Promise<void> {
  expect(await problemOf(await post(message))).toMatchObject({ status, code });
}

/** A device that the factory has listed. */
async function enrolled(algorithm: 'ed25519' | 'ecdsa-p256-sha256' = 'ed25519'): Promise<SigningDevice> {
  const device = signingDevice(algorithm);
  await importing('device,publicKey', `${device.id},${device.publicKey}`);
  return device;
}

describe("a factory's list", () => {
  test('enrols devices by key and by digest, and again changes nothing', async () => {
    const [keyed, digested] = [signingDevice(), signingDevice('ecdsa-p256-sha256')];
    const lines = ['serial,device,key', `1,${keyed.id},${keyed.publicKey}`, `2,${digested.id},${digested.keyDigest}`];
    expect(await importing(...lines)).toMatchObject({ devices: 2, added: 2, known: 0 });
    expect(await importing(...lines)).toMatchObject({ devices: 2, added: 0, known: 2 });
    expect(await show(keyed)).toMatchObject({
      state: 'enrolled',
      enrolledBy: 'factory',
      hasKey: true,
      lastSeenAt: null,
    });
    expect(await show(digested)).toMatchObject({ state: 'enrolled', hasKey: false });
    // Its key comes with its own word, and is the one that the factory has listed.
    await refused(403, 'device-not-enrolled', await speak.receipt(digested));
    expect(await answered(await speak.enrolment(digested))).toMatchObject({ status: 201, body: { state: 'enrolled' } });
    expect((await post(await speak.receipt(digested))).status).toBe(204);
  });

  test('with bad lines is refused whole, and the lines are named', async () => {
    const [good, revoked, known] = [signingDevice(), await enrolled(), await enrolled()];
    await client().rejectDevice(publisher.product, revoked.keyDigest);
    const before = await client().fleet(publisher.product);
    const failure = (await importing(
      'device,key',
      `${good.id},${good.publicKey}`,
      'no-id,x',
      `${randomUUID()},AAAA`,
      `${randomUUID()},${good.publicKey}`,
    ).catch((error: unknown) => error)) as FirmproofError;
    expect(failure.code).toBe('factory-list-malformed');
    expect(failure.message).toMatch(/line 3: .*UUID.*line 4: .*key.*line 5: .*already/);
    const conflicts = (await importing(
      'device,key',
      `${good.id},${good.publicKey}`,
      `${revoked.id},${revoked.publicKey}`,
      `${randomUUID()},${known.publicKey}`,
      `${known.id},${signingDevice().publicKey}`,
    ).catch((error: unknown) => error)) as FirmproofError;
    expect(conflicts.message).toMatch(/line 3: .*revoked.*line 4: .*another device id.*line 5: .*another key/);
    expect(await client().fleet(publisher.product)).toEqual(before);
    await expectCode('device-not-found', () => show(good));
  });

  test('is refused when it is empty, no CSV or of another type', async () => {
    await expectCode('factory-list-malformed', () => importing(''));
    await expectCode('factory-list-malformed', () => importing('device,key'));
    await expectCode('factory-list-malformed', () => importing('device,key', '"'));
    const answer = await supertest(stack.url)
      .post(`/v1/products/${publisher.product}/factory-lists`)
      .send({ device: 'x' });
    expect(answer.body).toMatchObject({ code: 'authentication-required' });
  });

  test('takes over who waits, and keeps the salts of devices that are anchored already', async () => {
    const waiting = signingDevice();
    expect(await answered(await speak.enrolment(waiting))).toMatchObject({ status: 202, body: { state: 'pending' } });
    const salt = `0x${randomBytes(32).toString('hex')}`;
    await importing('device,keyDigest,salt', `${waiting.id},${waiting.keyDigest},${salt}`);
    expect(await show(waiting)).toMatchObject({ state: 'enrolled', hasKey: true });
    const listed = async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of client().deviceList(publisher.product)) chunks.push(chunk);
      return parseDeviceList(Buffer.concat(chunks).toString());
    };
    const own = (await listed()).find(({ device }) => device === waiting.id);
    expect(own).toEqual({ device: waiting.id, keyDigest: waiting.keyDigest, salt });
    const other = `0x${randomBytes(32).toString('hex')}`;
    await expectCode('factory-list-malformed', () =>
      importing('device,keyDigest,salt', `${waiting.id},${waiting.keyDigest},${other}`),
    );
    expect((await listed()).every((device) => /^0x[0-9a-f]{64}$/.test(device.salt))).toBe(true);
  });
});

describe('a claim token', () => {
  test('enrols as many devices as it is good for', async () => {
    const { token } = await claim(2);
    const [first, second, third] = [signingDevice(), signingDevice('ecdsa-p256-sha256'), signingDevice()];
    for (const device of [first, second]) {
      const answer = await answered(await speak.enrolment(device, { claimToken: token }));
      expect(answer).toMatchObject({ status: 201, body: { state: 'enrolled', device: device.id } });
    }
    // The same again spends nothing, and is answered.
    expect((await answered(await speak.enrolment(first, { claimToken: token }))).status).toBe(201);
    await refused(403, 'claim-token-invalid', await speak.enrolment(third, { claimToken: token }));
    expect(await show(second)).toMatchObject({ enrolledBy: 'claim-token', hardware: 'rev-1' });
  });

  test('is worth nothing once it is revoked, for another product, or made up', async () => {
    const { token, id } = await claim();
    const other = await makeVendor(stack, { name: 'shade' });
    const device = signingDevice();
    const elsewhere = await speaking(stack.url, other.product).enrolment(device, { claimToken: token });
    await refused(403, 'claim-token-invalid', elsewhere);
    await client().revokeClaimToken(publisher.product, id);
    await refused(403, 'claim-token-invalid', await speak.enrolment(device, { claimToken: token }));
    await refused(403, 'claim-token-invalid', await speak.enrolment(device, { claimToken: 'fpc_x' }));
    await expectCode('claim-token-invalid', () => client().revokeClaimToken(publisher.product, id));
    await expectCode('device-not-found', () => show(device));
  });

  test('of two devices that spend the last one at once, one is enrolled', async () => {
    const { token } = await claim();
    const messages = await Promise.all(
      Array.from({ length: 6 }, () => speak.enrolment(signingDevice(), { claimToken: token })),
    );
    const statuses = (await Promise.all(messages.map(post))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, 403, 403, 403, 403, 403]);
  });
});

describe('a device that waits', () => {
  test('is accepted or rejected by the vendor, and so many may wait', async () => {
    const waiting = Array.from({ length: maximumPending }, () => signingDevice());
    for (const device of waiting) expect((await answered(await speak.enrolment(device))).status).toBe(202);
    const late = signingDevice();
    await refused(429, 'quota-exceeded', await speak.enrolment(late));
    const [first, second, third] = waiting as [SigningDevice, SigningDevice, SigningDevice];
    await refused(403, 'device-not-enrolled', await speak.receipt(first));
    expect(await client().acceptDevice(publisher.product, first.id)).toMatchObject({
      state: 'enrolled',
      enrolledBy: 'acceptance',
    });
    expect((await post(await speak.receipt(first))).status).toBe(204);
    expect(await client().rejectDevice(publisher.product, second.keyDigest)).toMatchObject({ state: 'revoked' });
    await refused(403, 'device-revoked', await speak.enrolment(second));
    await refused(403, 'device-revoked', await speak.receipt(second));
    // Somebody thought better of it.
    expect(await client().acceptDevice(publisher.product, second.id)).toMatchObject({ state: 'enrolled' });
    // There is room again.
    expect((await answered(await speak.enrolment(late))).status).toBe(202);
    for (const device of [late, third]) await client().rejectDevice(publisher.product, device.id);
  });

  test('under the id of another takes nothing from it', async () => {
    const real = await enrolled();
    const thief = signingDevice('ed25519', real.id);
    await refused(409, 'device-exists', await speak.enrolment(thief));
    // And before the real one is enrolled: both wait, and the vendor names the one by its key.
    const [one, two] = [signingDevice(), signingDevice()];
    const squatter = { ...two, id: one.id };
    expect((await answered(await speak.enrolment(squatter))).status).toBe(202);
    expect((await answered(await speak.enrolment(one))).status).toBe(202);
    await expectCode('device-not-found', () => client().acceptDevice(publisher.product, one.id));
    expect(await client().acceptDevice(publisher.product, one.keyDigest)).toMatchObject({ state: 'enrolled' });
    await expectCode('device-exists', () => client().acceptDevice(publisher.product, squatter.keyDigest));
    await client().rejectDevice(publisher.product, squatter.keyDigest);
    expect(await client().device(publisher.product, one.id)).toMatchObject({ keyDigest: one.keyDigest });
  });
});

describe('receipts', () => {
  test.each(['ed25519', 'ecdsa-p256-sha256'] as const)('are counted by the newest of each device: %s', async (kind) => {
    const device = await enrolled(kind);
    const before = await client().fleet(publisher.product);
    const image = sha256(randomBytes(8));
    const running = { version: parseVersion('3.0.0'), image };
    const outcome = {
      result: 'confirmed',
      ...running,
      before: { version: parseVersion('2.0.0'), image: null },
    } as const;
    expect((await post(await speak.receipt(device))).status).toBe(204);
    const second: Partial<Receipt> = { counter: 5, kind: 'outcome', running, outcome };
    expect((await post(await speak.receipt(device, second))).status).toBe(204);
    expect(await show(device)).toMatchObject({
      counter: 5,
      running,
      outcome: { result: 'confirmed', version: '3.0.0', image },
      agentVersion: '1.0.0',
      lastSeenAt: expect.any(Number),
      flags: [],
    });
    const after = await client().fleet(publisher.product);
    expect(after.heard).toBe(before.heard + 1);
    expect(after.running).toContainEqual({ ...running, devices: 1 });
  });

  test('that come again change nothing, also the older ones', async () => {
    const device = await enrolled();
    const messages = [await speak.receipt(device), await speak.receipt(device, { counter: 2 })];
    for (const message of [...messages, ...messages]) expect((await post(message)).status).toBe(204);
    // Signed anew on the way, as a device does that had no answer.
    const { time } = JSON.parse(messages[0]?.body ?? '');
    expect((await post(await speak.receipt(device, { time }))).status).toBe(204);
    expect(await show(device)).toMatchObject({ counter: 2, flags: [] });
  });

  test('are kept up to a bound; what lies before that is told from a clone', async () => {
    const device = await enrolled();
    const first = await speak.receipt(device);
    expect((await post(first)).status).toBe(204);
    for (let counter = 2; counter <= 20; counter += 1)
      expect((await post(await speak.receipt(device, { counter }))).status).toBe(204);
    await refused(409, 'receipt-replayed', first);
    expect(await show(device)).toMatchObject({ counter: 20, flags: [] });
  });

  test('that tell what became of a release are kept when heartbeats are long gone, and prove themselves', async () => {
    const device = await enrolled();
    const image = sha256(randomBytes(8));
    const running = { version: parseVersion('4.0.0'), image };
    const outcome = {
      result: 'confirmed',
      ...running,
      before: { version: parseVersion('3.0.0'), image: null },
    } as const;
    const first = await speak.receipt(device, { kind: 'outcome', running, outcome });
    expect((await post(first)).status).toBe(204);
    for (let counter = 2; counter <= 20; counter += 1)
      expect((await post(await speak.receipt(device, { counter }))).status).toBe(204);
    const kept = [];
    for await (const stored of client().outcomes(publisher.product))
      if (stored.keyDigest === device.keyDigest) kept.push(stored);
    expect(kept).toHaveLength(1);
    const [stored] = kept;
    if (!stored) throw new Error('no receipt');
    expect(verifyStoredReceipt(stored, publisher.product)).toMatchObject({ outcome, device: device.id });
    const other = signingDevice();
    const { keyDigest, publicKey } = other;
    for (const change of [
      { body: stored.body.replace('4.0.0', '4.0.1') },
      { publicKey },
      { keyDigest, publicKey },
      { signature: stored.signature.replace(/=:./, (start) => (start === '=:A' ? '=:B' : '=:A')) },
    ])
      await expectCode('message-signature-invalid', () =>
        verifyStoredReceipt({ ...stored, ...change }, publisher.product),
      );
    // The same once more, and another with a counter of long ago.
    expect((await post(first)).status).toBe(204);
    await refused(409, 'receipt-replayed', await speak.receipt(device, { counter: 3 }));
    expect(await show(device)).toMatchObject({ flags: [] });
  });

  test.each([
    ['no JSON', 'x'],
    ['another version', { receiptVersion: 2 }],
    ['no counter', { counter: 0 }],
    ['an outcome without a result', { kind: 'outcome' }],
    ['a code that is none', { running: { version: '1', image: null } }],
    ['another device', { device: randomUUID() }],
  ])('are refused with %s', async (_, change) => {
    const device = await enrolled();
    const document =
      typeof change === 'string' ? change : { ...JSON.parse((await speak.receipt(device)).body), ...change };
    const url = `${stack.url}/v1/products/${publisher.product}/receipts`;
    await refused(400, 'receipt-malformed', await deviceMessage(url, document as object, device, { tag: receiptTag }));
    expect(await show(device)).toMatchObject({ counter: null });
  });

  test('of endless size are not read', async () => {
    const message = await speak.receipt(await enrolled());
    await refused(400, 'request-invalid', { ...message, body: `${message.body}${' '.repeat(20_000)}` });
  });

  test('come from one key so often a minute', async () => {
    const device = await enrolled();
    const message = await speak.receipt(device);
    const statuses = new Set<number>();
    for (let sent = 0; sent < 130 && !statuses.has(429); sent += 10) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => post(message)));
      for (const { status } of answers) statuses.add(status);
    }
    expect([...statuses].sort()).toEqual([204, 429]);
    expect((await post(await speak.receipt(await enrolled()))).status).toBe(204);
  });
});

describe('the fleet', () => {
  test('is listed by state, page by page', async () => {
    const states = new Map<string, number>();
    for await (const { state } of client().devices(publisher.product)) states.set(state, (states.get(state) ?? 0) + 1);
    const { enrolled: count, pending, revoked } = await client().fleet(publisher.product);
    expect({ enrolled: count, pending, revoked }).toEqual({
      enrolled: states.get('enrolled') ?? 0,
      pending: states.get('pending') ?? 0,
      revoked: states.get('revoked') ?? 0,
    });
    for await (const { state } of client().devices(publisher.product, { state: 'revoked' }))
      expect(state).toBe('revoked');
    await expectCode('request-invalid', async () => {
      for await (const _ of client().devices(publisher.product, { state: 'gone' as never }));
    });
  });

  test('is for its vendor, and a guardian looks only', async () => {
    const guardian = await makeVendor(stack, { name: 'guard' });
    const guarded = await makeVendor(stack, { name: 'guarded', guardian: guardian.wallet.address });
    const path = `/v1/products/${guarded.product}`;
    for (const at of ['fleet', 'devices', 'device-list', `devices/${randomUUID()}`])
      expect((await supertest(stack.url).get(`${path}/${at}`)).body).toMatchObject({ code: 'authentication-required' });
    const other = guardian.vendor.client;
    expect(await other.fleet(guarded.product)).toMatchObject({ enrolled: 0 });
    await expectCode('token-scope', () => other.mintClaimToken(guarded.product, { devices: 1, lifetimeSeconds: 60 }));
    await expectCode('token-scope', () => other.acceptDevice(guarded.product, randomUUID()));
    await expectCode('token-scope', () => other.rejectDevice(guarded.product, randomUUID()));
    await expectCode('token-scope', () => other.importDevices(guarded.product, csv('device,key')));
    await expectCode('token-scope', () => client().fleet(guarded.product));
    await expectCode('device-not-found', () => guarded.vendor.client.device(guarded.product, randomUUID()));
    await expectCode('device-not-found', () => guarded.vendor.client.device(guarded.product, '../x'));
  });
});

describe("the fleet's timeline", () => {
  const read = (product = publisher.product, token = '') =>
    supertest(stack.url)
      .get(`/v1/products/${product}/fleet/timeline`)
      .set(token === '' ? {} : { authorization: `Bearer ${token}` });

  test('counts each receipt once, as whoever verifies them counts', async () => {
    const lamps = await makeVendor(stack, { name: 'timed-lamp' });
    const { product } = lamps;
    const { client: own } = lamps.vendor;
    const say = speaking(stack.url, product);
    const devices = [signingDevice(), signingDevice('ecdsa-p256-sha256')];
    await own.importDevices(
      product,
      csv('device,publicKey', ...devices.map(({ id, publicKey }) => `${id},${publicKey}`)),
    );
    const running = { version: parseVersion('1.1.0'), image: sha256(randomBytes(3)) };
    const result = { ...running, before: { version: parseVersion('1.0.0'), image: null } };
    for (const [index, device] of devices.entries()) {
      const time = Math.floor(Date.now() / 1000) - (5 - index) * 86_400;
      const [first, later] = [
        await say.receipt(device, { time }),
        await say.receipt(device, {
          counter: 2,
          time: time + 86_400,
          kind: 'outcome',
          ...(index === 0
            ? { running, outcome: { ...result, result: 'confirmed' } }
            : { outcome: { ...result, result: 'rolled-back', code: 'unhealthy' } }),
        }),
      ];
      for (const message of [first, first, later, later]) expect((await post(message)).status).toBe(204);
    }
    const approver = new WalletApprover(walletKey(lamps.wallet));
    const ask = { scopes: ['read-receipts'] } as const;
    const { token } = (await Vendor.login(new FirmproofClient({ server: stack.url }), approver, ask)).token;
    const { body } = await read(product, token).expect(200).expect('cache-control', 'no-store');
    const tally = new FleetTally();
    const receipts = await supertest(stack.url)
      .get(`/v1/products/${product}/receipts`)
      .set({ authorization: `Bearer ${token}` })
      .expect(200);
    for (const stored of pageOf(storedReceiptSchema).parse(receipts.body).items)
      tally.take({ ...stored, receipt: verifyInBrowser(stored, product) });
    expect(body).toEqual(tally.timeline(product));
    const [, second] = receipts.body.items.filter(({ body: text }: { body: string }) => text.includes('"counter":2,'));
    const from = `/v1/products/${product}/receipts?from=${second.keyDigest}`;
    const some = await supertest(stack.url)
      .get(from)
      .set({ authorization: `Bearer ${token}` })
      .expect(200);
    expect(some.body.items).toEqual(receipts.body.items.slice(2));
    expect(body.outcomes).toEqual([
      { version: '1.1.0', result: 'confirmed', code: null, receipts: 1 },
      { version: '1.1.0', result: 'rolled-back', code: 'unhealthy', receipts: 1 },
    ]);
    expect(body.days.at(-1).running).toEqual([
      { version: '1.0.0', devices: 1 },
      { version: '1.1.0', devices: 1 },
    ]);
    await read(product).expect(401);
  });
});
