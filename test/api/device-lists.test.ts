import { request as open } from 'node:http';
import { type Bytes32, deviceTree, formatDeviceList, leavesOf, maximumBatchDevices } from '@firmproof/protocol';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { someDevices } from '../support/devices.ts';
import { destroyStack, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';

let stack: Stack;
let one: TestVendor;
let token: string;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_UPLOAD_STALL_SECONDS: '1' });
  one = await makeVendor(stack);
  token = (await one.vendor.client.login(await one.vendor.approver.login(stack.url, stack.info.chainId))).token;
});
afterAll(() => destroyStack(stack));

const devices = someDevices(20);
const rootOf = (list: typeof devices) => deviceTree(leavesOf({ product: one.product, devices: list })).root;
const path = (root: string) => `/v1/products/${one.product}/device-lists/${root}`;
const put = (root: string, type = 'text/csv') =>
  supertest(stack.url).put(path(root)).set('authorization', `Bearer ${token}`).set('content-type', type);

describe('a list of devices', () => {
  test('may come twice, at the same moment too', async () => {
    const list = formatDeviceList(devices);
    const answers = await Promise.all(Array.from({ length: 4 }, () => put(rootOf(devices)).send(list)));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
  });

  test.each([
    ['another type', 422, 'device-list-malformed', () => put(rootOf(devices), 'application/octet-stream').send('x')],
    ['no body', 422, 'device-list-malformed', () => put(rootOf(devices)).send('')],
    ['no root', 422, 'bytes32-invalid', () => put('0x12').send('x')],
    ['JSON', 422, 'device-list-malformed', () => put(rootOf(devices), 'application/json').send([])],
    [
      'another root',
      422,
      'device-list-malformed',
      () => put(`0x${'ab'.repeat(32)}` as Bytes32).send(formatDeviceList(devices)),
    ],
    [
      'more than any list may have',
      400,
      'request-invalid',
      () => put(rootOf(devices)).send('x'.repeat(maximumBatchDevices * 180)),
    ],
  ])('is refused: %s', async (_, status, code, send) => {
    const { body, status: answered } = await send();
    expect({ status: answered, code: body.code }).toEqual({ status, code });
  });

  test('is not read from strangers', async () => {
    const list = formatDeviceList(devices);
    const stranger = await supertest(stack.url)
      .put(path(rootOf(devices)))
      .set('content-type', 'text/csv')
      .send(list);
    expect(stranger.body).toMatchObject({ code: 'authentication-required' });
    const other = await makeVendor(stack, { name: 'other' });
    const login = await other.vendor.client.login(await other.vendor.approver.login(stack.url, stack.info.chainId));
    const theirs = await put(rootOf(devices)).set('authorization', `Bearer ${login.token}`).send(list);
    expect(theirs.body).toMatchObject({ code: 'token-scope' });
  });

  test('that stops in the middle is given up', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/csv', 'content-length': '1000' };
    const ended = new Promise((resolve) => {
      const sending = open(`${stack.url}${path(rootOf(devices))}`, { method: 'PUT', headers });
      sending.on('error', resolve).on('response', resolve);
      sending.write('device');
    });
    expect(await ended).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('what the chain says of devices', () => {
  test('is asked with well-formed values, of products that there are', async () => {
    const leaf = `0x${'cd'.repeat(32)}`;
    const ask = async (at: string) => (await supertest(stack.url).get(at)).body;
    expect(await ask(`/v1/products/${one.product}/device-leaves/${leaf}`)).toEqual({
      product: one.product,
      leaf,
      state: 'unanchored',
    });
    expect(await ask(`/v1/products/${one.product}/device-leaves/../x`)).toMatchObject({ code: 'not-found' });
    expect(await ask(`/v1/products/${one.product}/device-leaves/0xab`)).toMatchObject({ code: 'bytes32-invalid' });
    expect(await ask(`/v1/products/${leaf}/device-leaves/${leaf}`)).toMatchObject({ code: 'product-not-found' });
    expect(await ask(`/v1/products/${one.product}/device-batches`)).toEqual({ items: [] });
    expect(await ask(`/v1/proposals/${leaf}/devices`)).toMatchObject({ code: 'proposal-not-found' });
  });
});
