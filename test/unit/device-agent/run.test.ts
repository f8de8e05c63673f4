import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Round, readConfig, run } from '@firmproof/device-agent';
import { trustRootType } from '@firmproof/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDevice, type TestDevice } from '../../support/device.ts';
import { trustRootOf } from '../../support/documents.ts';
import { ed25519Key } from '../../support/keys.ts';

let server: Server;
let device: TestDevice;
let requests = 0;
const waits: { readonly dueSeconds: number; readonly seconds: number }[] = [];

beforeAll(async () => {
  server = createServer((_, response) => {
    requests += 1;
    response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  device = makeDevice(trustRootOf({ type: trustRootType }, [ed25519Key()]), [url]);
});
afterAll(async () => {
  device.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Runs as a process would that is stopped after so many rounds, or as soon as `until` has come. */
async function runFor(rounds: number, until?: Promise<unknown>): Promise<readonly Round[]> {
  const stopping = new AbortController();
  const done: Round[] = [];
  void until?.then(() => stopping.abort());
  await run(readConfig(device.configFile), {
    signal: stopping.signal,
    onWait: (wait) => waits.push(wait),
    onRound: (round) => {
      done.push(round);
      if (done.length === rounds) stopping.abort();
    },
  });
  return done;
}

test('a new device asks at once; what failed is tried again after the wait of that code', async () => {
  const [round] = await runFor(1);
  expect(round?.result).toMatchObject({ outcome: 'unproven', code: 'unavailable' });
  expect(round?.nextSeconds).toBeGreaterThanOrEqual(60);
  expect(round?.nextSeconds).toBeLessThan(180);
  const { retries, nextCheck, trustedTime } = await device.status();
  expect(retries).toEqual({ code: 'unavailable', count: 1 });
  expect(Date.parse(nextCheck ?? '')).toBeGreaterThan(Date.parse(trustedTime));
});

test('a restart keeps to what was planned: an agent that crashes asks no more often than one that does not', async () => {
  const before = requests;
  const rounds = await runFor(1, new Promise((resolve) => setTimeout(resolve, 500)));
  expect(rounds).toEqual([]);
  expect(requests).toBe(before);
  const [wait] = waits;
  expect(wait?.seconds).toBeGreaterThan(1);
  const planned = Date.parse((await device.status()).nextCheck ?? '') / 1000;
  expect(Math.abs((wait?.dueSeconds ?? 0) - planned)).toBeLessThan(2);
});

test('and goes on counting: the second failure waits for longer than the first', async () => {
  device.configure({ pollHours: 0.0001 });
  await runFor(1);
  expect((await device.status()).retries).toEqual({ code: 'unavailable', count: 2 });
});
