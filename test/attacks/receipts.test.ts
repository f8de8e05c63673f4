import { randomBytes } from 'node:crypto';
import {
  deviceLeaf,
  type ErrorCode,
  enrolmentTag,
  parseDeviceList,
  type Receipt,
  receiptTag,
} from '@firmproof/protocol';
import { createRpc, readBlock } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type DeviceMessage,
  deviceMessage,
  nowSeconds,
  post,
  receiptOf,
  type SigningDevice,
  signingDevice,
  speaking,
} from '../support/enrolled-device.ts';
import { problemOf } from '../support/http.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';

let stack: Stack;
let publisher: TestVendor;
let speak: ReturnType<typeof speaking>;
const victim = signingDevice('ecdsa-p256-sha256');
const bystander = signingDevice();

beforeAll(async () => {
  stack = await startStack();
  publisher = await makeVendor(stack, { name: 'lamp' });
  speak = speaking(stack.url, publisher.product);
  await enrol(victim, bystander);
  expect((await post(await speak.receipt(victim, { counter: 10 }))).status).toBe(204);
});
afterAll(() => destroyStack(stack));

async function enrol(...devices: readonly SigningDevice[]) {
  const lines = ['device,key', ...devices.map(({ id, publicKey }) => `${id},${publicKey}`)];
  const list = async function* () {
    yield Buffer.from(lines.join('\n'));
  };
  await publisher.vendor.client.importDevices(publisher.product, list());
}

const show = (device: SigningDevice) => publisher.vendor.client.device(publisher.product, device.keyDigest);

/** Refused with this code, and what is known of the victim is what it was. */
async function refused(code: ErrorCode, message: DeviceMessage | Promise<DeviceMessage>, device = victim) {
  const before = await show(device);
  expect(await problemOf(await post(await message))).toMatchObject({ code });
  expect(await show(device)).toEqual(before);
}

describe('A37 receipts', () => {
  test('of keys that nobody has enrolled count nothing, and cost no signature', async () => {
    const stranger = signingDevice();
    const before = await publisher.vendor.client.fleet(publisher.product);
    await refused('device-not-enrolled', speak.receipt(stranger));
    await refused('device-not-enrolled', speak.receipt({ ...stranger, id: victim.id }));
    expect(await publisher.vendor.client.fleet(publisher.product)).toEqual(before);
  });

  test("are not forged, stripped of their signature, signed by another device's key or changed", async () => {
    const message = await speak.receipt(victim, { counter: 11 });
    const { signature = '', ...rest } = lowerCased(message.headers);
    const forged = signature.replace(/:.*:/, `:${randomBytes(64).toString('base64')}:`);
    await refused('message-unsigned', { ...message, headers: rest });
    await refused('message-unsigned', { ...message, headers: { 'content-type': 'application/json' } });
    await refused('message-signature-invalid', { ...message, headers: { ...rest, signature: forged } });
    await refused('message-signature-invalid', { ...message, headers: { ...rest, signature: 'sig=:AAAA:' } });
    await refused('message-signature-invalid', { ...message, headers: { ...rest, signature: 'x' } });
    // A bystander's signature in the victim's name, and the victim named in a bystander's receipt.
    const borrowed = { ...bystander, signer: { ...bystander.signer, digest: victim.keyDigest } };
    await refused('message-signature-invalid', speak.receipt({ ...borrowed, id: victim.id }, { counter: 11 }));
    await refused('receipt-malformed', speak.receipt({ ...bystander, id: victim.id }, { counter: 11 }));
    const changed = message.body.replace('"heartbeat"', '"heartbeat" ');
    await refused('message-digest-mismatch', { ...message, body: changed });
    const fresh = await speak.receipt(bystander, { counter: 12 });
    const contentDigest = lowerCased(fresh.headers)['content-digest'] ?? '';
    const swapped = { ...rest, signature, 'content-digest': contentDigest };
    await refused('message-signature-invalid', { ...message, body: fresh.body, headers: swapped });
  });

  test('are good for one purpose, one product and one time', async () => {
    const url = `${stack.url}/v1/products/${publisher.product}/receipts`;
    const receipt = receiptOf(victim, publisher.product, { counter: 11 });
    await refused('message-signature-invalid', deviceMessage(url, receipt, victim, { tag: enrolmentTag }));
    const day = 86_400;
    await refused('message-expired', speak.receipt(victim, { counter: 11 }, nowSeconds() - 31 * day));
    await refused('message-expired', speak.receipt(victim, { counter: 11 }, nowSeconds() + 2 * day));
    const other = await makeVendor(stack, { name: 'shade' });
    const theirs = speaking(stack.url, other.product);
    await refused('device-not-enrolled', theirs.receipt(victim, { counter: 11 }));
    const moved = { ...(await theirs.receipt(victim, { counter: 11 })), url };
    await refused('message-signature-invalid', moved);
    const foreign = receiptOf(victim, other.product, { counter: 11 });
    await refused('receipt-malformed', deviceMessage(url, foreign, victim, { tag: receiptTag }));
  });

  test('with two signatures, other fields or other parameters are as good as unsigned', async () => {
    const message = await speak.receipt(victim, { counter: 11 });
    const headers = lowerCased(message.headers);
    const input = headers['signature-input'] ?? '';
    const spoilt = [
      `${input}, ${input.replace('sig=', 'more=')}`,
      input.replace(' "content-digest"', ''),
      input.replace('"@path"', '"@path";req'),
      input.replace(';tag="firmproof-receipt"', ''),
      input.replace('ecdsa-p256-sha256', 'hmac-sha256'),
      input.replace(victim.keyDigest, 'x'),
      `${input};nonce="1"`,
      'x'.repeat(4000),
    ];
    for (const one of spoilt)
      await refused('message-unsigned', { ...message, headers: { ...headers, 'signature-input': one } });
  });

  test('of a clone are kept as evidence, and the device is marked, once however often they come', async () => {
    const device = signingDevice();
    await enrol(device);
    const own = await speak.receipt(device, { counter: 4 });
    expect((await post(own)).status).toBe(204);
    const clone = await speak.receipt(device, { counter: 4, agentVersion: '6.6.6' });
    const late = await speak.receipt(device, { counter: 2 });
    for (const message of [clone, clone, late])
      expect(await problemOf(await post(message))).toMatchObject({ status: 409, code: 'clone-suspected' });
    expect(await show(device)).toMatchObject({
      counter: 4,
      agentVersion: '1.0.0',
      flags: [{ code: 'clone-suspected', evidence: expect.stringContaining('counter') }],
    });
    // The one that is known is still no clone; the flag stays until somebody has looked.
    expect((await post(own)).status).toBe(204);
    expect((await post(await speak.receipt(device, { counter: 5 }))).status).toBe(204);
    expect((await show(device)).flags).toHaveLength(1);
    const flagged = [];
    for await (const one of publisher.vendor.client.devices(publisher.product, { flagged: true }))
      flagged.push(one.device);
    expect(flagged).toContain(device.id);
    expect(await publisher.vendor.client.acceptDevice(publisher.product, device.id)).toMatchObject({ flags: [] });
  });

  test('of a device that is revoked, here or on chain, are worth nothing', async () => {
    const [stolen, rejected] = [signingDevice(), signingDevice()];
    await enrol(stolen, rejected);
    expect((await post(await speak.receipt(stolen))).status).toBe(204);
    const { vendor, product } = publisher;
    await vendor.client.rejectDevice(product, rejected.id);
    await refused('device-revoked', speak.receipt(rejected), rejected);

    const chunks: Uint8Array[] = [];
    for await (const chunk of vendor.client.deviceList(product)) chunks.push(chunk);
    const devices = parseDeviceList(Buffer.concat(chunks).toString());
    expect(devices.map(({ device }) => device)).not.toContain(rejected.id);
    const listed = devices.find(({ device }) => device === stolen.id);
    if (!listed) throw new Error('the device is not listed');
    await vendor.client.follow((await vendor.anchorDevices({ product, devices })).id);
    const leaf = deviceLeaf(product, listed.keyDigest, listed.salt);
    await vendor.client.follow((await vendor.revokeDevice(product, leaf)).id);
    await eventually(
      () => show(stolen),
      ({ revokedOnChain }) => revokedOnChain,
      'the revocation to be final',
    );
    await refused('device-revoked', speak.receipt(stolen, { counter: 2 }), stolen);
    await refused('device-revoked', speak.enrolment(stolen), stolen);
    expect(await problemOf(await accept(stolen))).toMatchObject({ code: 'device-revoked' });
    // The others go on.
    expect((await post(await speak.receipt(bystander))).status).toBe(204);
  });
});

async function accept(device: SigningDevice): Promise<Response> {
  const { token } = await publisher.vendor.client.login(
    await publisher.vendor.approver.login(stack.url, stack.info.chainId),
  );
  return fetch(`${stack.url}/v1/products/${publisher.product}/devices/${device.id}/acceptance`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
}

describe('A22 a device that is shown another history', () => {
  async function seenNow(): Promise<NonNullable<Receipt['seen']>> {
    const block = await readBlock(createRpc(stack.rpcUrl), 'finalized');
    const { sequence, history } = await publisher.vendor.client.product(publisher.product);
    return {
      block: { number: Number(block?.number), hash: block?.hash as never },
      sequence,
      history: history as never,
    };
  }
  const other = () => `0x${randomBytes(32).toString('hex')}` as never;

  test('is told from one that sees what is there', async () => {
    const seen = await seenNow();
    const views: [Receipt['seen'], string | null][] = [
      [seen, null],
      [{ ...seen, block: { ...seen.block, hash: other() } }, 'block'],
      [{ ...seen, history: other() }, 'history'],
    ];
    for (const [shown, evidence] of views) {
      const device = signingDevice();
      await enrol(device);
      expect((await post(await speak.receipt(device, { seen: shown }))).status).toBe(204);
      const { flags } = await show(device);
      expect(flags).toEqual(
        evidence === null
          ? []
          : [{ code: 'split-view', at: expect.any(Number), evidence: expect.stringContaining(evidence) }],
      );
    }
  });

  test('that is ahead of this server is found once the chain is as far', async () => {
    const device = signingDevice();
    await enrol(device);
    const seen = await seenNow();
    const ahead = { ...seen, sequence: seen.sequence + 1, history: other() };
    expect((await post(await speak.receipt(device, { seen: ahead }))).status).toBe(204);
    expect(await show(device)).toMatchObject({ flags: [] });
    await publisher.publish('1.0.0', randomBytes(2000));
    await eventually(
      () => show(device),
      ({ flags }) => flags.length > 0,
      'the split view to be found',
    );
    expect(await show(device)).toMatchObject({ flags: [{ code: 'split-view' }] });
  });
});

const lowerCased = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
