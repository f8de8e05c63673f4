import { randomBytes } from 'node:crypto';
import { FirmproofClient, signAction } from '@firmproof/client';
import {
  type ActionMessage,
  loginTypes,
  pageOf,
  parseAddress,
  parseChannel,
  parseEvidence,
  parseVersion,
  rawCidOf,
  releaseSchema,
  serverDomain,
  sha256,
  zeroBytes32,
} from '@firmproof/protocol';
import { CarReader } from '@ipld/car';
import { Wallet } from 'ethers';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployContractAccount } from '../support/contract-account.ts';
import { expectCode } from '../support/expect-code.ts';
import { problemOf } from '../support/http.ts';
import {
  destroyStack,
  eventually,
  makeVendor,
  type Stack,
  stable,
  startStack,
  type TestVendor,
} from '../support/stack.ts';

let stack: Stack;
let vendor: TestVendor;
const image = randomBytes(2_200_000);

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack);
  await vendor.publish('1.0.0', image, { notes: 'first' });
  for (const version of ['1.0.1', '1.0.2']) await vendor.publish(version, randomBytes(100));
  await vendor.promote('1.0.0');
  await eventually(
    () => vendor.vendor.client.release(vendor.product, parseVersion('1.0.0')),
    ({ imageCid }) => imageCid !== undefined,
    'the image to be open',
  );
  await eventually(
    () => vendor.vendor.client.evidence(vendor.product, stable),
    (text) => text.length > 0,
    'evidence',
  );
});
afterAll(() => destroyStack(stack));

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${stack.url}${path}`, { headers });
const code = async (path: string) => (await problemOf(await get(path))).code;

describe('documents', () => {
  test('describe the API: every operation is in the document, and every path of it answers', async () => {
    const { body } = await supertest(stack.url).get('/openapi.json').expect(200);
    expect(body.openapi).toMatch(/^3\.1\./);
    for (const [path, methods] of Object.entries<object>(body.paths)) {
      for (const method of Object.keys(methods)) {
        const url = path.replace(/\{\w+\}/g, 'x');
        const response = await supertest(stack.url)[method as 'get'](url);
        // Whatever it says about a nonsensical id, it must not be that the route does not exist.
        expect(response.body.code, `${method} ${path}`).not.toBe('not-found');
      }
    }
  });

  test('say that the server is alive and ready, and count', async () => {
    await supertest(stack.url).get('/healthz').expect(200, { status: 'ok' });
    await supertest(stack.url).get('/readyz').expect(200, { status: 'ready' });
    const { text } = await supertest(stack.url).get('/metrics').expect(200);
    expect(Number(/^firmproof_relayer_remaining_releases (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(1000);
    expect(text).toMatch(/^firmproof_evidence_age_seconds \d+/m);
  });

  test('errors are problems', async () => {
    expect(await problemOf(await get('/nowhere'))).toMatchObject({ code: 'not-found', status: 404 });
    expect(await problemOf(await get(`/v1/products/${zeroBytes32}`))).toMatchObject({ code: 'product-not-found' });
  });
});

describe('products and releases', () => {
  test('are listed page by page', async () => {
    const path = `/v1/products/${vendor.product}/releases`;
    const page = async (query: string) => pageOf(releaseSchema).parse(await (await get(`${path}?${query}`)).json());
    const first = await page('limit=2');
    expect(first.items.map(({ version }) => version)).toEqual(['1.0.2', '1.0.1']);
    const second = await page(`limit=2&cursor=${first.next}`);
    expect(second.items.map(({ version }) => version)).toEqual(['1.0.0']);
    expect(second.next).toBeUndefined();
    expect(await code(`${path}?limit=0`)).toBe('request-invalid');
    expect(await code(`${path}?limit=1000`)).toBe('request-invalid');
    expect(await code(`${path}?cursor=*`)).toBe('request-invalid');
  });

  test('say what the chain has recorded', async () => {
    const release = await vendor.vendor.client.release(vendor.product, parseVersion('1.0.0'));
    expect(release).toMatchObject({
      status: 'active',
      image: sha256(image),
      sizeBytes: image.length,
      rollbackIndex: 0,
    });
    const attestation = await vendor.vendor.client.attestation(vendor.product, parseVersion('1.0.0'));
    expect(sha256(new TextEncoder().encode(attestation))).toBe(release.attestation);
    await expectCode('release-not-found', () => vendor.vendor.client.release(vendor.product, parseVersion('9.9.9')));
    await expectCode('channel-not-found', () => vendor.vendor.client.channel(vendor.product, parseChannel('nightly')));
    await expectCode('proposal-not-found', () => vendor.vendor.client.proposal(zeroBytes32));
  });
});

describe('evidence', () => {
  const path = () => `/v1/products/${vendor.product}/channels/stable/evidence`;

  test('is anonymous and cacheable, and a second reading costs nothing', async () => {
    const first = await get(path());
    const etag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/);
    expect(parseEvidence(await first.text()).release?.image).toBe(sha256(image));
    const second = await get(path(), { 'if-none-match': etag });
    expect(second.status).toBe(304);
    expect(await second.text()).toBe('');
  });

  test('of a channel that does not exist is told apart from evidence that is not ready', async () => {
    expect(await code(`/v1/products/${vendor.product}/channels/nightly/evidence`)).toBe('channel-not-found');
  });
});

describe('the trustless gateway', () => {
  const imageCid = async () =>
    (await vendor.vendor.client.release(vendor.product, parseVersion('1.0.0'))).imageCid ?? '';

  test('serves raw blocks and CARs that prove themselves', async () => {
    const cid = await imageCid();
    const raw = await get(`/ipfs/${cid}?format=raw`);
    expect(raw.headers.get('content-type')).toBe('application/vnd.ipld.raw');
    expect(raw.headers.get('cache-control')).toContain('immutable');
    expect(raw.headers.get('etag')).toBe(`"${cid}.raw"`);
    const car = await get(`/ipfs/${cid}`, { accept: 'application/vnd.ipld.car' });
    expect(car.headers.get('content-type')).toContain('version=1');
    const reader = await CarReader.fromBytes(new Uint8Array(await car.arrayBuffer()));
    expect((await reader.getRoots()).map(String)).toEqual([cid]);
    let bytes = 0;
    for await (const block of reader.blocks()) {
      expect(sha256(block.bytes)).toBe(Buffer.from(block.cid.multihash.digest).toString('hex'));
      bytes += block.bytes.length;
    }
    expect(bytes).toBeGreaterThan(image.length);
    const rootOnly = await get(`/ipfs/${cid}?format=car&dag-scope=block`);
    expect((await rootOnly.arrayBuffer()).byteLength).toBeLessThan(2000);
  });

  test('serves plain bytes with ranges', async () => {
    const cid = await imageCid();
    const tail = await get(`/ipfs/${cid}`, { range: 'bytes=-10' });
    expect(tail.status).toBe(206);
    expect(tail.headers.get('content-range')).toBe(`bytes ${image.length - 10}-${image.length - 1}/${image.length}`);
    expect(Buffer.from(await tail.arrayBuffer())).toEqual(image.subarray(-10));
    expect(await problemOf(await get(`/ipfs/${cid}`, { range: 'bytes=99999999-' }))).toMatchObject({
      code: 'range-not-satisfiable',
    });
    const head = await fetch(`${stack.url}/ipfs/${cid}`, { method: 'HEAD' });
    expect(Number(head.headers.get('content-length'))).toBe(image.length);
    const unchanged = await get(`/ipfs/${cid}`, { 'if-none-match': `"${cid}"` });
    expect(unchanged.status).toBe(304);
  });

  test('answers the probe, and nothing else that it does not have', async () => {
    expect((await get('/ipfs/bafkqaaa?format=raw')).status).toBe(200);
    expect(await code(`/ipfs/${rawCidOf(sha256(randomBytes(3)))}`)).toBe('block-not-found');
    expect(await code('/ipfs/hello')).toBe('cid-invalid');
    expect(await code(`/ipfs/${await imageCid()}?format=tar`)).toBe('gateway-format-unsupported');
    expect(await problemOf(await get(`/ipfs/${await imageCid()}`, { accept: 'text/html' }))).toMatchObject({
      status: 406,
    });
  });
});

describe('before a release is installable', () => {
  test('its bytes and its attestation are for its signers alone', async () => {
    const slow = await makeVendor(stack, { name: 'slow', delaySeconds: 3600 });
    const secret = randomBytes(500);
    await slow.publish('1.0.0', secret, { purpose: 'security' });
    const own = await slow.vendor.client.release(slow.product, parseVersion('1.0.0'));
    const cid = own.imageCid ?? '';
    expect(own).toMatchObject({ sizeBytes: 500, purpose: 'security' });
    const anonymous = new FirmproofClient({ server: stack.url });
    const seen = await anonymous.release(slow.product, parseVersion('1.0.0'));
    expect(seen.imageCid).toBeUndefined();
    expect(seen.purpose).toBeUndefined();
    expect(seen.image).toBe(sha256(secret));
    expect(await code(`/ipfs/${cid}`)).toBe('block-not-found');
    expect(await code(`/v1/products/${slow.product}/releases/1.0.0/attestation`)).toBe('not-installable-yet');
    expect(await slow.vendor.client.attestation(slow.product, parseVersion('1.0.0'))).toContain('dsseEnvelope');
  });
});

describe('tokens', () => {
  const login = (wallet: Wallet, change: object = {}) => loginWith(stack, wallet, change);

  test('a login is for one server, one time, and a few minutes', async () => {
    const wallet = new Wallet(Wallet.createRandom().privateKey);
    const good = await login(wallet);
    const client = new FirmproofClient({ server: stack.url });
    expect(await client.login(good)).toMatchObject({
      publisher: wallet.address.toLowerCase(),
      scopes: ['publish', 'read-receipts'],
    });
    await expectCode('login-invalid', () => client.login(good));
    for (const change of [{ origin: 'https://elsewhere.example' }, { deadline: 1000 }, { deadline: 9_999_999_999 }]) {
      const bad = await login(wallet, change);
      await expectCode('login-invalid', () => client.login(bad));
    }
    const stranger = new Wallet(Wallet.createRandom().privateKey);
    const forged = await login(stranger, { publisher: parseAddress(wallet.address) });
    await expectCode('login-invalid', () => client.login(forged));
  });

  test('a contract account logs in with its ERC-1271 signature', async () => {
    const signer = new Wallet(Wallet.createRandom().privateKey);
    const account = await deployContractAccount(stack, signer.address);
    const good = await login(signer, { publisher: account });
    const client = new FirmproofClient({ server: stack.url });
    expect(await client.login(good)).toMatchObject({ publisher: account });
    const stranger = new Wallet(Wallet.createRandom().privateKey);
    const forged = await login(stranger, { publisher: account });
    await expectCode('login-invalid', () => client.login(forged));
  });

  test('a server can be kept for its own publishers', async () => {
    const admitted = new Wallet(Wallet.createRandom().privateKey);
    const closed = await startStack(undefined, { FIRMPROOF_ALLOWED_PUBLISHERS: admitted.address });
    try {
      const client = new FirmproofClient({ server: closed.url });
      const good = await loginWith(closed, admitted);
      expect(await client.login(good)).toMatchObject({ scopes: ['publish', 'read-receipts'] });
      const other = await loginWith(closed, new Wallet(Wallet.createRandom().privateKey));
      await expectCode('login-invalid', () => client.login(other));
    } finally {
      await destroyStack(closed);
    }
  });
});

async function loginWith(at: Stack, wallet: Wallet, change: object = {}) {
  const message = {
    publisher: parseAddress(wallet.address),
    origin: new URL(at.url).origin,
    nonce: `0x${randomBytes(32).toString('hex')}` as never,
    deadline: Math.floor(Date.now() / 1000) + 120,
    ...change,
  };
  const signature = await wallet.signTypedData(
    serverDomain(at.info.chainId),
    { Login: [...loginTypes.Login] },
    message,
  );
  return { message, signature: signature as `0x${string}` };
}

describe('configuration proposals', () => {
  test('a change is scheduled, waits for its delay, and is vetoed by the guardian', async () => {
    const guardian = new Wallet(Wallet.createRandom().privateKey);
    const guarded = await makeVendor(stack, { name: 'guarded', delaySeconds: 3600, guardian: guardian.address });
    const { vendor: owner, product } = guarded;
    const before = await owner.client.product(product);
    const message: ActionMessage<'Configure'> = {
      product,
      publisher: before.publisher,
      guardian: before.guardian,
      delay: 60,
      trustRoot: `0x${before.trustRoot}` as never,
      epoch: before.epoch,
      deadline: Math.floor(Date.now() / 1000) + 600,
    };
    const signature = await signAction(guarded.wallet, owner.info, 'Configure', message);
    await owner.client.follow((await owner.client.configure(message, signature)).id);
    const { pending, epoch } = await owner.client.product(product);
    expect(epoch).toBe(before.epoch + 1);
    await expectCode('configuration-pending', () => owner.client.applyConfiguration(message));
    const veto = { product, pending: pending?.hash ?? zeroBytes32, deadline: message.deadline };
    const vetoed = await signAction(guardian, owner.info, 'Veto', veto);
    await owner.client.follow((await owner.client.veto(veto, vetoed)).id);
    const after = await owner.client.product(product);
    expect(after.pending).toBeUndefined();
    expect(after.delaySeconds).toBe(3600);
  });

  test('a product changes hands only when the new publisher accepts it', async () => {
    const sold = await makeVendor(stack, { name: 'sold' });
    const { vendor: seller, product } = sold;
    const buyer = new Wallet(Wallet.createRandom().privateKey);
    const before = await seller.client.product(product);
    const deadline = Math.floor(Date.now() / 1000) + 600;
    const message: ActionMessage<'Configure'> = {
      product,
      publisher: parseAddress(buyer.address),
      guardian: before.guardian,
      delay: 0,
      trustRoot: `0x${before.trustRoot}` as never,
      epoch: before.epoch,
      deadline,
    };
    const signature = await signAction(sold.wallet, seller.info, 'Configure', message);
    await seller.client.follow((await seller.client.configure(message, signature)).id);
    const accept = { product, publisher: message.publisher, epoch: before.epoch + 1, deadline };
    const forged = await signAction(sold.wallet, seller.info, 'Accept', accept);
    await expectCode('approval-invalid', () => seller.client.applyConfiguration(message));
    await expectCode('approval-invalid', () =>
      seller.client.applyConfiguration(message, { message: accept, by: forged }),
    );
    const accepted = await signAction(buyer, seller.info, 'Accept', accept);
    const applied = await seller.client.applyConfiguration(message, { message: accept, by: accepted });
    await seller.client.follow(applied.id);
    expect((await seller.client.product(product)).publisher).toBe(message.publisher);
    await expectCode('token-scope', () => sold.publish('1.0.0', randomBytes(10)));
  });
});
