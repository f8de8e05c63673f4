// What devices report, and what strangers would like to add to it.
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { type ErrorCode, parseVersion, type Report, reportBytes, sha256 } from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { LyingServer } from '../support/lying-server.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';

let stack: Stack;
let vendor: TestVendor;
let device: TestDevice;
const image = randomBytes(50_000);
const maximumDevices = 4;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_REPORTING_DEVICES: String(maximumDevices) });
  vendor = await makeVendor(stack);
  device = makeDevice(vendor.trustRoot, [stack.url]);
  await vendor.publish('1.0.0', image);
  await vendor.promote('1.0.0');
  await offered('1.0.0');
});
afterAll(async () => {
  device.destroy();
  await destroyStack(stack);
});

const offered = (version: string, by = device) =>
  eventually(
    async () => (await by.check()).verdict,
    (verdict) => verdict.outcome === 'update' && verdict.release.version === version,
    version,
  );
const summary = () => vendor.vendor.client.reportSummary(vendor.product);

describe('a device', () => {
  test('reports what it has confirmed, once', async () => {
    expect(await device.install()).toMatchObject({ outcome: 'installed' });
    expect(await device.status()).toMatchObject({ reportsWaiting: 1 });
    await device.report();
    expect(await device.status()).toMatchObject({ reportsWaiting: 0 });
    await device.report();
    const counts = [{ version: '1.0.0', outcome: 'confirmed', devices: 1 }];
    expect(await summary()).toEqual({ product: vendor.product, devices: 1, full: false, counts });
  });

  test('says nothing where its image does not want it to', async () => {
    const silent = makeDevice(vendor.trustRoot, [stack.url], { reports: false });
    try {
      expect(await silent.install()).toMatchObject({ outcome: 'installed' });
      expect(await silent.status()).toMatchObject({ reportsWaiting: 0 });
    } finally {
      silent.destroy();
    }
  });

  test('reports what it has rolled back, and keeps that while nobody answers', async () => {
    const name = await LyingServer.start(stack.url);
    const port = Number(new URL(name.url).port);
    const ill = makeDevice(vendor.trustRoot, [name.url], { health: { command: ['/bin/false'], deadlineSeconds: 20 } });
    try {
      expect(await ill.install()).toMatchObject({ outcome: 'rolled-back' });
      await name.stop();
      await ill.report();
      expect(await ill.status()).toMatchObject({ reportsWaiting: 1, state: 'idle' });
      const posts = await relayPosts(port);
      await eventually(
        async () => {
          await ill.report();
          return ill.status();
        },
        ({ reportsWaiting }) => reportsWaiting === 0,
        'the report to arrive',
      );
      await posts.stop();
      expect((await summary()).counts).toContainEqual({ version: '1.0.0', outcome: 'rolled-back', devices: 1 });
    } finally {
      ill.destroy();
    }
  });

  test('sends nothing after a redirect, and is not held up by one', async () => {
    const seen: string[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(307, { location: `${stack.url}${request.url}` }).end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const address = elsewhere.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const named = await LyingServer.start(stack.url);
    const wandering = makeDevice(vendor.trustRoot, [named.url]);
    try {
      await offered('1.0.0', wandering);
      expect(await wandering.install()).toMatchObject({ outcome: 'installed' });
      await named.lying(
        {
          answer(request, response) {
            response.writeHead(307, { location: `http://127.0.0.1:${port}${request.url}` }).end();
            return true;
          },
        },
        () => wandering.report(),
      );
      expect(seen).toEqual([]);
      expect(await wandering.status()).toMatchObject({ reportsWaiting: 1, installed: { version: '1.0.0' } });
    } finally {
      wandering.destroy();
      await named.stop();
      elsewhere.close();
    }
  });
});

/** Hands POSTs on to the server, as a proxy does. */
async function relayPosts(port: number): Promise<{ stop(): Promise<void> }> {
  const forward = async (request: IncomingMessage): Promise<number> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: Buffer.concat(chunks) };
    return (await fetch(`${stack.url}${request.url}`, init)).status;
  };
  const server = createServer((request, response) => {
    forward(request).then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(502).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

describe('a stranger', () => {
  const key = () => generateKeyPairSync('ed25519').privateKey;
  const reportOf = (by: KeyObject, change: Partial<Report> = {}): Report => ({
    device: publicKeyOf(by),
    product: vendor.product,
    version: parseVersion('1.0.0'),
    image: sha256(image),
    outcome: 'confirmed',
    counter: 1,
    time: 1_800_000_000,
    ...change,
  });
  async function send(report: Report, by: KeyObject, change: Partial<Report> = {}) {
    const signature = sign(null, reportBytes(report), by).toString('base64');
    return fetch(`${stack.url}/v1/products/${vendor.product}/reports`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ report: { ...report, ...change }, signature }),
    });
  }
  async function refused(code: ErrorCode, status: number, answer: Response) {
    expect(await answer.json()).toMatchObject({ code, status });
    expect(answer.status).toBe(status);
  }

  test('cannot report for another device, nor change what one has signed', async () => {
    const before = await summary();
    const stolen = publicKeyOf(key());
    await refused('report-invalid', 422, await send(reportOf(key(), { device: stolen }), key()));
    const own = key();
    for (const change of [{ outcome: 'failed' }, { counter: 9 }, { time: 1 }, { code: 'no-quorum' }] as const) {
      await refused('report-invalid', 422, await send(reportOf(own), own, change));
    }
    expect(await summary()).toEqual(before);
  });

  test('cannot replay a report of a device', async () => {
    const file = readFileSync(join(device.directory, 'data', 'device.key'));
    const own = createPrivateKey(file);
    const before = await summary();
    await refused('report-replayed', 409, await send(reportOf(own, { outcome: 'failed' }), own));
    expect(await summary()).toEqual(before);
    expect((await send(reportOf(own, { counter: 2 }), own)).status).toBe(204);
    await refused('report-replayed', 409, await send(reportOf(own, { counter: 2 }), own));
  });

  test('cannot report another product, or a release that there never was', async () => {
    const own = key();
    const other = await makeVendor(stack, { name: 'other' });
    await refused('report-invalid', 422, await send(reportOf(own, { product: other.product }), own));
    await refused('report-invalid', 422, await send(reportOf(own, { version: parseVersion('7.7.7') }), own));
    await refused('report-invalid', 422, await send(reportOf(own, { image: sha256(randomBytes(3)) }), own));
    await refused('request-invalid', 400, await send(reportOf(own, { counter: 0 }), own));
  });

  test('cannot fill the server: so many device keys are counted, and no more', async () => {
    let { devices } = await summary();
    for (; devices < maximumDevices; devices += 1) {
      const own = key();
      expect((await send(reportOf(own), own)).status).toBe(204);
    }
    const late = key();
    await refused('quota-exceeded', 429, await send(reportOf(late), late));
    expect(await summary()).toMatchObject({ devices: maximumDevices, full: true });
  });

  test('does not see the counts: they are for publisher and guardian', async () => {
    const other = await makeVendor(stack, { name: 'curious' });
    await expectCode('token-scope', () => other.vendor.client.reportSummary(vendor.product));
    const anonymous = await fetch(`${stack.url}/v1/products/${vendor.product}/reports/summary`);
    await refused('authentication-required', 401, anonymous);
  });

  test('is slowed down who sends too much from one address', async () => {
    const own = key();
    const report = reportOf(own);
    const statuses = new Set<number>();
    for (let sent = 0; sent < 700 && !statuses.has(429); sent += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => send({ ...report, counter: 0 }, own)));
      for (const { status } of answers) statuses.add(status);
    }
    expect([...statuses].sort()).toEqual([400, 429]);
  });
});
