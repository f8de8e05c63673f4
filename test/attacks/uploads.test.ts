// A38, A39: everything that can be thrown at an upload, and at every parser behind HTTP.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { FirmproofClient } from '@firmproof/client';
import { isErrorCode, parseVersion } from '@firmproof/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { freePort } from '../support/free-port.ts';
import { boundary, multipart, problemOf } from '../support/http.ts';
import { LyingServer } from '../support/lying-server.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';
import { type Upload, Uploader } from '../support/upload.ts';

let stack: Stack;
let uploader: Uploader;
let good: Upload;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_UPLOAD_STALL_SECONDS: '5' });
  uploader = await Uploader.open(stack, await makeVendor(stack));
  good = await uploader.prepare('1.0.0', randomBytes(24_000_000));
});
afterAll(() => destroyStack(stack));

const whole = () =>
  multipart([
    ['attestation', good.attestation],
    ['approval', good.approval],
    ['image', good.bytes, true],
  ]);

/** A raw connection that sends some bytes of an upload of an announced length. */
function connection(announced: number, bytes: Buffer) {
  const { hostname, port, pathname } = new URL(uploader.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(
    `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${uploader.token}\r\ncontent-type: multipart/form-data; boundary=${boundary}\r\ncontent-length: ${announced}\r\n\r\n`,
  );
  socket.write(bytes);
  return socket;
}

async function stillWell(): Promise<void> {
  expect((await fetch(`${stack.url}/readyz`)).ok).toBe(true);
  await eventually(
    () => Promise.resolve(uploader.blocks()),
    (blocks) => blocks === 0,
    'what was left to be removed',
  );
}

describe('A39 upload abuse', () => {
  test('a client that goes away in the middle leaves nothing', async () => {
    const body = whole();
    const socket = connection(body.length, body.subarray(0, 16_000_000));
    await eventually(
      () => Promise.resolve(uploader.blocks()),
      (blocks) => blocks > 0,
      'the upload to be under way',
    );
    socket.destroy();
    await stillWell();
  });

  test('a client that stops sending is answered, and leaves nothing', async () => {
    const body = whole();
    const socket = connection(body.length, body.subarray(0, 16_000_000));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer.toString()).toContain('upload-timeout');
    socket.destroy();
    await stillWell();
  });

  test('many at once that all go away leave nothing, and the server serves on', async () => {
    const body = whole();
    const sockets = Array.from({ length: 12 }, () => connection(body.length, body.subarray(0, 14_000_000)));
    await eventually(
      () => Promise.resolve(uploader.blocks()),
      (blocks) => blocks > 0,
      'the uploads to be under way',
    );
    for (const socket of sockets) socket.destroy();
    await stillWell();
  });

  test('an announced size beyond the limit is refused before the body', async () => {
    const socket = connection(10 ** 12, Buffer.alloc(0));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toString()).toContain('image-too-large');
    socket.destroy();
    await stillWell();
  });

  const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

  test.skipIf(!canMount)('a full disk is told as such, and nothing is kept', async () => {
    const directory = temporaryDirectory();
    const port = await freePort();
    const script = `mkdir -p ${directory}/blocks && mount -t tmpfs -o size=2m tmpfs ${directory}/blocks && exec ${process.execPath} server/src/main.ts`;
    const child: ChildProcess = spawn('unshare', ['-rm', 'sh', '-c', script], {
      env: { ...process.env, FIRMPROOF_DATA: directory, FIRMPROOF_PORT: String(port), FIRMPROOF_LOG_LEVEL: 'silent' },
      stdio: 'ignore',
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      await eventually(
        () => fetch(`${url}/readyz`),
        (response) => response.ok,
        'the server',
      );
      const info = await new FirmproofClient({ server: url }).info();
      const { vendor, product, buildKey, publish } = await makeVendor({ url, info });
      const file = join(directory, 'large.bin');
      writeFileSync(file, randomBytes(4_000_000));
      const release = await vendor.prepare(file, { product, version: parseVersion('1.0.0') }, buildKey);
      await expectCode('storage-full', () => vendor.upload(file, release));
      // Its room was given back: what fits is taken.
      expect(await publish('1.0.1', randomBytes(900_000))).toMatchObject({ state: 'confirmed' });
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('A38 malformed input', () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .constantFrom('[', '{"a":', '\u0000', '{"__proto__":{"x":1}}', '['.repeat(5000), '1e999')
      .map((text) => Buffer.from(text)),
  );

  /** Hostile input is the client's mistake: a problem with a known code, never a 5xx, never a page. */
  async function refusesWell(response: Response): Promise<void> {
    const problem = await problemOf(response);
    expect(problem.status).toBeGreaterThanOrEqual(400);
    expect(problem.status).toBeLessThan(500);
    expect(isErrorCode(problem.code)).toBe(true);
  }

  test('as a JSON body of every POST', async () => {
    const paths = [
      'tokens',
      'products',
      ...['promotions', 'revocations', 'halts', 'configurations', 'applications', 'vetoes'].map(
        (name) => `products/${uploader.vendor.product}/${name}`,
      ),
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), hostile, async (path, body) => {
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${uploader.token}` };
        await refusesWell(await fetch(`${stack.url}/v1/${path}`, { method: 'POST', headers, body }));
      }),
      { numRuns: 150 },
    );
  });

  test('as a multipart body, and in each part', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, fc.constantFrom('body', 'attestation', 'approval', 'image'), async (bytes, where) => {
        const part = (name: string, honest: string | Buffer) => (where === name ? bytes : honest);
        const body =
          where === 'body'
            ? bytes
            : multipart([
                ['attestation', part('attestation', good.attestation)],
                ['approval', part('approval', good.approval)],
                ['image', part('image', 'x'), true],
              ]);
        await refusesWell(await uploader.send(body));
      }),
      { numRuns: 150 },
    );
    await stillWell();
  });

  test('in paths, queries and headers', async () => {
    const text = fc.string({ maxLength: 80, unit: 'binary' }).map(encodeURIComponentSafe);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('/v1/products/', '/v1/proposals/', '/ipfs/', '/v1/products?cursor=', '/v1/products?limit='),
        text,
        async (path, tail) => {
          fc.pre(tail.length > 0 && !/^\.{1,2}$/.test(tail) && !/^(?:[1-9]\d?|100)$/.test(tail));
          const response = await fetch(`${stack.url}${path}${tail}`, {
            headers: { range: 'bytes=9-1', accept: '*/*' },
          });
          // An opaque cursor that leads nowhere is an empty page.
          if (path.endsWith('cursor=') && response.ok) return;
          await refusesWell(response);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('as evidence, the device says so and stays as it is', async () => {
    const liar = await LyingServer.start(stack.url);
    const device = makeDevice(uploader.vendor.trustRoot, [liar.url]);
    try {
      const before = await device.fingerprint();
      await fc.assert(
        fc.asyncProperty(hostile, async (bytes) => {
          const answer = (_request: unknown, response: import('node:http').ServerResponse) => {
            response.writeHead(200, { 'content-type': 'application/json' }).end(bytes);
            return true;
          };
          const { verdict } = await liar.lying({ answer }, () => device.check());
          expect(verdict).toMatchObject({ outcome: 'refused', code: 'evidence-malformed' });
        }),
        { numRuns: 60 },
      );
      expect(await device.fingerprint()).toEqual(before);
    } finally {
      device.destroy();
      await liar.stop();
    }
  });
});

function encodeURIComponentSafe(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
