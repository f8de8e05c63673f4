// What a device tells of itself: once, in order, signed, and never in the way of an update.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  parsePublicKey,
  parseReceipt,
  type Receipt,
  readMessageSignature,
  receiptMaximumAgeSeconds,
  receiptTag,
  sha256,
  trustRootType,
} from '@firmproof/protocol';
import { verifyMessage } from '@firmproof/protocol/node/message-signature';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Agent } from '../../../device-agent/src/agent.ts';
import { heartbeatSeconds } from '../../../device-agent/src/receipts/make.ts';
import { recordOutcome } from '../../../device-agent/src/receipts/outcomes.ts';
import { emptyQueue, enqueue, makeDue, maximumWaiting } from '../../../device-agent/src/receipts/queue.ts';
import { receptionOf, retrySeconds } from '../../../device-agent/src/receipts/send.ts';
import { makeDevice, type TestDevice } from '../../support/device.ts';
import { trustRootOf } from '../../support/documents.ts';
import { ed25519Key } from '../../support/keys.ts';
import { temporaryDirectory } from '../../support/stack.ts';

/** These devices begin at the build time of their image, and sleep for some weeks at most. */
const nowForDevices = 1_700_000_000 + 20 * 86_400;

/** Takes receipts as a server does, and answers what the test says. */
class Receiver {
  readonly url: string;
  readonly receipts: Receipt[] = [];
  status = 201;
  publicKey = '';
  onReceipt: (receipt: Receipt) => void = () => undefined;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
  }

  static start(): Promise<Receiver> {
    return new Promise((resolve) => {
      const server: Server = createServer((request, response) => {
        receiver.take(request).then(
          () => response.writeHead(receiver.status, { location: `${receiver.url}/elsewhere` }).end(),
          (error: unknown) => response.writeHead(400).end(String(error)),
        );
      }).listen(0, '127.0.0.1', () => {
        const address = server.address();
        receiver = new Receiver(server, typeof address === 'object' && address ? address.port : 0);
        resolve(receiver);
      });
      let receiver: Receiver;
    });
  }

  async take(request: IncomingMessage): Promise<void> {
    const body = (await buffer(request)).toString();
    const { keyDigest } = readMessageSignature(request.headers, {
      tag: receiptTag,
      nowSeconds: nowForDevices,
      maximumAgeSeconds: receiptMaximumAgeSeconds,
    });
    expect(keyDigest).toBe(sha256(Buffer.from(this.publicKey, 'base64')));
    verifyMessage({ path: request.url ?? '', headers: request.headers, body }, parsePublicKey(this.publicKey));
    const receipt = parseReceipt(body);
    expect(request.url).toBe(`/v1/products/${receipt.product}/receipts`);
    this.onReceipt(receipt);
    this.receipts.push(receipt);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

let directory: string;
let first: Receiver;
let second: Receiver;
let device: TestDevice;
beforeEach(async () => {
  directory = temporaryDirectory();
  [first, second] = [await Receiver.start(), await Receiver.start()];
  const trustRoot = trustRootOf({ type: trustRootType }, [ed25519Key()]);
  device = makeDevice(trustRoot, [first.url, second.url], {}, join(directory, 'device'));
  const publicKey = await device.act(async (agent) => {
    // As after a check: from here on time passes.
    await agent.journal.write({ time: agent.clock.snapshot() });
    return agent.identity.key.publicKey;
  });
  first.publicKey = publicKey;
  second.publicKey = publicKey;
});
afterEach(async () => {
  await first.stop();
  await second.stop();
  rmSync(directory, { recursive: true, force: true });
});

const target = { version: '2.0.0', image: 'ab'.repeat(32), headCounter: 1 } as never;
/** An update ends, as the machine writes it down. */
const ends = (result: 'confirmed' | 'rolled-back' | 'failed', code?: string) =>
  device.act((agent) => agent.journal.write({ outcomes: recordOutcome(agent, target, result, code) }));
/** Of outcomes only: the first heartbeat comes at any time within the first week. */
const outcomesAt = ({ receipts }: Receiver) => receipts.filter(({ kind }) => kind === 'outcome');
const counters = (receiver: Receiver) => outcomesAt(receiver).map(({ counter }) => counter);
const waiting = async () => (await device.status()).receipts.waiting;

describe('a receipt', () => {
  test('is signed, says what was before and after, and is sent once to each server', async () => {
    await ends('rolled-back', 'health-check-failed');
    expect(await device.report()).toBeNull();
    expect(await device.report()).toBeNull();
    for (const { receipts } of [first, second]) {
      expect(receipts).toEqual([
        expect.objectContaining({
          kind: 'outcome',
          counter: 1,
          running: { version: '0.0.1', image: null },
          outcome: {
            result: 'rolled-back',
            version: '2.0.0',
            image: 'ab'.repeat(32),
            before: { version: '0.0.1', image: null },
            code: 'health-check-failed',
          },
          seen: null,
        }),
      ]);
    }
    expect(await waiting()).toBe(0);
    expect((await device.status()).receipts).toMatchObject({ problems: [], lastSent: expect.any(String) });
  });

  test('of the same failure again is not made', async () => {
    await ends('failed', 'image-size-mismatch');
    await ends('failed', 'image-size-mismatch');
    await ends('failed', 'block-digest-mismatch');
    await device.report();
    expect(counters(first)).toEqual([1, 2]);
  });

  test('waits while nobody answers or the server has trouble, for each server by itself, longer each time', async () => {
    await second.stop();
    first.status = 503;
    await ends('confirmed');
    await device.report();
    expect(counters(first)).toEqual([1]);
    first.status = 201;
    await device.report();
    // Not before its time has come.
    expect(counters(first)).toEqual([1]);
    device.sleep(1);
    await device.report();
    expect(counters(first)).toEqual([1, 1]);
    expect(await waiting()).toBeGreaterThanOrEqual(1);
    expect((await device.status()).receipts.problems).toEqual([`${second.url}/ does not answer`]);
    device.sleep(2);
    await device.report();
    expect(counters(first)).toEqual([1, 1]);
  });

  test.each([404, 403, 429, 307])(
    'waits where the server says %i: enrolled or set right, it may be taken later',
    async (status) => {
      first.status = status;
      await ends('confirmed');
      await device.report();
      expect(await waiting()).toBe(1);
      first.status = 204;
      device.sleep(2);
      await device.report();
      expect(counters(first)).toEqual([1, 1]);
      expect(await waiting()).toBe(0);
    },
  );

  test.each([400, 409, 410, 422])('that the server refuses with %i is not sent again, and said', async (status) => {
    first.status = status;
    await ends('confirmed');
    await device.report();
    device.sleep(2);
    await device.report();
    expect(counters(first)).toEqual([1]);
    expect(await waiting()).toBe(0);
    expect((await device.status()).receipts.problems).toEqual([`${first.url}/ answers ${status}`]);
  });

  test('has a counter that was never used, wherever the device was switched off', async () => {
    await ends('confirmed');
    const file = join(device.directory, 'data', 'receipts.json');
    first.onReceipt = ({ counter }) => onDisk.push(JSON.parse(readFileSync(file, 'utf8')).counter >= counter);
    const onDisk: boolean[] = [];
    // Off right after the counter was written, and off after it was sent but before that was written down.
    first.status = 503;
    await device.report();
    const sent = readFileSync(file);
    first.status = 201;
    device.sleep(1);
    await device.report();
    writeFileSync(file, sent);
    device.sleep(1);
    await device.report();
    const copies = outcomesAt(first);
    expect(onDisk.length).toBeGreaterThan(1);
    expect(onDisk).not.toContain(false);
    expect(new Set(copies.map((receipt) => JSON.stringify(receipt))).size).toBe(1);
    // A queue that cannot be read: the outcome is told again, under a counter that no receipt can have had.
    writeFileSync(file, sent.subarray(0, 40));
    device.sleep(1);
    await device.report();
    const anew = counters(first).slice(copies.length);
    expect(anew.length).toBeGreaterThan(0);
    for (const counter of anew) expect(counter).toBeGreaterThan(1_000_000_000);
    expect(readFileSync(`${file}.damaged`)).toEqual(sent.subarray(0, 40));
  });

  test('is not made on a copy of another machine, nor where the image turns receipts off', async () => {
    await ends('confirmed');
    await device.act(async (agent) => {
      const copy = { ...agent, identity: { ...agent.identity, cloned: true } } as Agent;
      const { sendReceipts } = await import('@firmproof/device-agent');
      expect(await sendReceipts(copy)).toBeNull();
    });
    device.configure({ receipts: false });
    await device.report();
    await ends('confirmed');
    expect(first.receipts).toEqual([]);
    expect((await device.act((agent) => agent.journal.entry.outcomes)).count).toBe(1);
  });

  test('stops no update where it cannot be written', async () => {
    await ends('confirmed');
    rmSync(join(device.directory, 'data', 'receipts.json'), { force: true });
    await device.act(async (agent) => {
      const { sendReceipts } = await import('@firmproof/device-agent');
      const full = { ...agent, config: { ...agent.config, dataDirectory: '/dev/null' } } as Agent;
      expect(await sendReceipts(full)).toContain('/dev/null');
    });
    expect(first.receipts).toEqual([]);
  });
});

describe('a server that has just enrolled the device', () => {
  const asked = () => device.act(({ config, clock }) => makeDue(config.dataDirectory, [first.url], clock.nowSeconds()));

  test('is told at once what it would not take before, and no longer said to refuse it', async () => {
    first.status = 403;
    await ends('confirmed');
    await device.report();
    await asked();
    expect((await device.status()).receipts.problems).toEqual([]);
    first.status = 201;
    await device.report();
    expect(counters(first)).toEqual([1, 1]);
    expect((await device.status()).enrolments[`${first.url}/`]).toBe('enrolled');
  });

  test('gets a heartbeat, once', async () => {
    await asked();
    await device.report();
    await asked();
    await device.report();
    expect(first.receipts).toMatchObject([{ kind: 'heartbeat', counter: 1 }]);
  });
});

describe('the heartbeat', () => {
  test('comes within the first week, then about weekly, also after time has jumped', async () => {
    await device.report();
    expect(first.receipts).toEqual([]);
    device.sleep(7);
    await device.report();
    expect(first.receipts).toMatchObject([{ kind: 'heartbeat', counter: 1 }]);
    device.sleep(5);
    await device.report();
    expect(first.receipts).toHaveLength(1);
    device.sleep(4);
    await device.report();
    expect(first.receipts.map(({ counter }) => counter)).toEqual([1, 2]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
        expect(heartbeatSeconds(random) / 86_400).toBeGreaterThanOrEqual(5.25);
        expect(heartbeatSeconds(random) / 86_400).toBeLessThanOrEqual(8.75);
      }),
    );
  });
});

describe('the queue', () => {
  test('gives up its oldest heartbeat first, then its oldest outcome, and never counts back', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('outcome', 'heartbeat'), { maxLength: 100 }), (kinds) => {
        let queue = emptyQueue;
        for (const kind of kinds) queue = enqueue(queue, { kind } as never);
        expect(queue.counter).toBe(kinds.length);
        expect(queue.waiting.length).toBe(Math.min(kinds.length, maximumWaiting));
        const outcomes = kinds.filter((kind) => kind === 'outcome').length;
        const kept = queue.waiting.filter(({ kind }) => kind === 'outcome').length;
        if (kinds.length > maximumWaiting && queue.waiting.some(({ kind }, at) => kind === 'heartbeat' && at === 0))
          expect(kept).toBe(outcomes);
        const order = queue.waiting.map(({ counter }) => counter);
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
      }),
    );
    let queue = enqueue(enqueue(emptyQueue, { kind: 'outcome' } as never), { kind: 'heartbeat' } as never);
    for (let more = 0; more < maximumWaiting - 1; more += 1) queue = enqueue(queue, { kind: 'outcome' } as never);
    expect(queue.waiting.map(({ counter }) => counter)).not.toContain(2);
    expect(queue.waiting[0]?.counter).toBe(1);
    expect(enqueue(queue, { kind: 'outcome' } as never).waiting[0]?.counter).toBe(3);
  });

  test('every status has its meaning', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), (status) => {
        const reception = receptionOf(status);
        if (status >= 200 && status < 300) expect(reception).toBe('taken');
        else if (status >= 500 || status < 200 || status < 400) expect(reception).toBe('later');
      }),
    );
    expect(receptionOf(null)).toBe('later');
    expect(retrySeconds(1, 0.5)).toBe(300);
    expect(retrySeconds(2, 0.5)).toBe(600);
    expect(retrySeconds(1000, 0.5)).toBe(86_400);
  });
});
