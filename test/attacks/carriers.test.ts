// A11, A20, A21, A23, A25, A26, A27, A31: those who carry images, evidence and events.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildStatement, signAttestation } from '@firmproof/client';
import { sha256 } from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { auditSummary } from '../support/audit.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { type Block, leafOf, nodeOver } from '../support/image-tree.ts';
import { flipByte, type Lie } from '../support/lying-server.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import { eventually } from '../support/stack.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.close());

const isBlock = (path: string | undefined) => path?.startsWith('/ipfs/') ?? false;
const blocksAsked = () => arena.liar.requests.filter(isBlock);

async function withDevice<Result>(act: (device: TestDevice) => Promise<Result>, ...servers: string[]): Promise<Result> {
  const device = makeDevice(arena.vendor.trustRoot, servers.length > 0 ? servers : [arena.liar.url]);
  arena.liar.requests.length = 0;
  try {
    return await act(device);
  } finally {
    device.destroy();
  }
}

/** Answers requests for blocks in this way, and all others honestly. */
const blocks = (answer: (request: IncomingMessage, response: ServerResponse) => void): Lie => ({
  answer(request, response) {
    if (!isBlock(request.url)) return false;
    answer(request, response);
    return true;
  },
});

const updated = { outcome: 'installed', version: '2.0.0' };

describe('A25 content withheld', () => {
  test.each([
    ['has nothing', blocks((_, response) => response.writeHead(404).end())],
    ['is out of order', blocks((_, response) => response.writeHead(503).end())],
    ['hangs up', blocks((request) => request.socket.destroy())],
    [
      'breaks off',
      blocks((_, response) => response.writeHead(200, { 'content-length': 999 }).write('.', () => response.destroy())),
    ],
    ['answers with nothing', blocks((_, response) => response.writeHead(204).end())],
  ])('by a source that %s is unavailable, which is not the same as refused', (_, lie) =>
    withDevice(async (device) => {
      await device.check();
      await arena.resists('unavailable', () => arena.liar.lying(lie, () => device.install()), device);
      expect((await device.status()).lastVerdict).toMatchObject({ outcome: 'unproven', code: 'unavailable' });
      // As soon as it is there again, the device goes on.
      expect(await device.install()).toMatchObject(updated);
    }),
  );

  test('by one source is had from the next, and the device remembers whom to ask first', () =>
    withDevice(
      async (device) => {
        const lie = blocks((_, response) => response.writeHead(404).end());
        expect(await arena.liar.lying(lie, () => device.install())).toMatchObject(updated);
        expect(blocksAsked()).toHaveLength(1);
        expect((await device.status()).sources).toMatchObject([
          { source: `${arena.liar.url}/`, lastFailure: { code: 'unavailable' }, penalty: expect.closeTo(1, 1) },
        ]);
      },
      arena.liar.url,
      arena.stack.url,
    ));
});

describe('A26 a source that lies about blocks', () => {
  test('is asked once, and last from then on, also after a restart', () =>
    withDevice(
      async (device) => {
        const lie: Lie = { block: (bytes) => flipByte(bytes) };
        expect(await arena.liar.lying(lie, () => device.install())).toMatchObject(updated);
        expect(blocksAsked()).toHaveLength(1);
        arena.liar.requests.length = 0;
        // Each act opens the agent anew, as a restart does.
        await device.check();
        expect(arena.liar.requests).toEqual([]);
        const { sources } = await device.status();
        expect(sources).toMatchObject([{ lastFailure: { code: 'block-digest-mismatch' } }]);
      },
      arena.liar.url,
      arena.stack.url,
    ));
});

describe('A11 a tree of blocks that unfolds to more than was signed', () => {
  const sizeBytes = 2_500_000;

  /** The vendor's own key signs it: what is stolen here is the vendor's image store. */
  async function offered(version: string, root: Block, tree: readonly Block[]) {
    const image = { digest: sha256(randomBytes(8)), cid: root.cid, sizeBytes };
    const statement = buildStatement('bomb.bin', image.digest, arena.predicate(image, version));
    await arena.recordPastTheServer(version, image, await signAttestation(statement, arena.vendor.buildKey));
    const served = new Map<string, Uint8Array>(tree.map(({ cid, bytes }) => [cid, bytes]));
    return blocks(({ url }, response) => {
      const bytes = served.get(/^\/ipfs\/([^/?]+)/.exec(url ?? '')?.[1] ?? '');
      if (bytes) response.end(bytes);
      else response.writeHead(404).end();
    });
  }

  test('is cut off at the signed size, however often a block stands in it', () =>
    withDevice(async (device) => {
      const leaf = leafOf(randomBytes(1_000_000));
      const thousand = nodeOver(Array.from({ length: 1000 }, () => leaf));
      const million = nodeOver(Array.from({ length: 1000 }, () => thousand));
      const lie = await offered('3.0.0', million, [leaf, thousand, million]);
      await arena.offers('3.0.0', device);
      await arena.resists('image-size-mismatch', () => arena.liar.lying(lie, () => device.install()), device);
      expect(blocksAsked().length).toBeLessThan(10);
    }));

  test('is refused where it is nested deeper than any image', () =>
    withDevice(async (device) => {
      const leaf = leafOf(randomBytes(1000));
      const nested = [leaf];
      for (let depth = 0; depth < 8; depth += 1) nested.unshift(nodeOver(nested.slice(0, 1)));
      const [top = leaf] = nested;
      const lie = await offered('3.1.0', top, nested);
      await arena.offers('3.1.0', device);
      await arena.resists('image-size-mismatch', () => arena.liar.lying(lie, () => device.install()), device);
      expect(blocksAsked().length).toBeLessThanOrEqual(4);
    }));

  test('leaves nothing behind: the next release is installed', async () => {
    await arena.vendor.promote('2.0.0');
    await withDevice(async (device) => {
      await arena.offers('2.0.0', device);
      expect(await device.install()).toMatchObject(updated);
    });
  });
});

describe('A27 addresses in evidence', () => {
  let asked: string[];
  let spy: ReturnType<typeof createServer>;
  let port: number;
  beforeAll(async () => {
    asked = [];
    spy = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('inside');
    });
    await new Promise<void>((resolve) => spy.listen(0, '127.0.0.1', resolve));
    ({ port } = spy.address() as AddressInfo);
  });
  afterAll(() => new Promise((resolve) => spy.close(resolve)));

  test('never lead a device to private hosts, in whatever way they are written', () =>
    withDevice(async (device) => {
      await device.check();
      const hosts = [
        '127.0.0.1',
        'localhost',
        '[::ffff:127.0.0.1]',
        '0x7f000001',
        '2130706433',
        '127.1',
        '0.0.0.0',
        'LOCALHOST',
      ];
      const sources = hosts.map((host) => `http://${host}:${port}`);
      const lie: Lie = {
        evidence: (document) => ({ ...document, sources }),
        answer: blocks((_, response) => response.writeHead(404).end()).answer as NonNullable<Lie['answer']>,
      };
      await arena.resists('unavailable', () => arena.liar.lying(lie, () => device.install()), device);
      expect(asked).toEqual([]);
    }));

  test.each(['/latest', '/ipfs/../../v1/info'])('nor does a source by a redirect to %s', (path) =>
    withDevice(async (device) => {
      await device.check();
      const location = `http://127.0.0.1:${port}${path}`;
      const lie = blocks((_, response) => response.writeHead(302, { location }).end());
      await arena.resists('redirect-refused', () => arena.liar.lying(lie, () => device.install()), device);
      expect(asked).toEqual([]);
    }),
  );

  test.each(['file:///etc/passwd', 'gopher://example.com', '../../etc/passwd', 'javascript:1'])(
    'that are none of a gateway are no evidence: %s',
    (source) =>
      withDevice(async (device) => {
        await device.check();
        const lie: Lie = { evidence: (document) => ({ ...document, sources: [source] }) };
        await arena.resists('evidence-malformed', () => arena.liar.lying(lie, () => device.install()), device);
      }),
  );
});

describe('A31 an update over the wrong version', () => {
  test('is refused before a byte of it is asked for', () =>
    withDevice(async (device) => {
      expect(await device.install()).toMatchObject(updated);
      await arena.vendor.publish('4.0.0', randomBytes(1000), { precursors: ['3.9.9'] });
      await arena.vendor.promote('4.0.0');
      await arena.seen('precursor-mismatch', device);
      arena.liar.requests.length = 0;
      await arena.resists('precursor-mismatch', () => device.install(), device);
      expect(blocksAsked()).toEqual([]);
      await arena.vendor.promote('2.0.0');
    }));
});

describe('an auditor whose node lies', () => {
  type Log = { topics: string[]; data: string; address: string };
  let wire: RpcProxy;
  beforeAll(async () => {
    wire = await RpcProxy.start(arena.stack.rpcUrl);
  });
  afterAll(() => wire.stop());

  async function audited(change: (logs: Log[]) => Log[]) {
    const { product } = arena.vendor;
    const honest = await auditSummary({ rpcUrls: [arena.stack.rpcUrl], registry: arena.stack.info.registry, product });
    wire.lie = ({ method }, result) => (method === 'eth_getLogs' ? change(result as Log[]) : result);
    const lied = await auditSummary({ rpcUrls: [wire.url], registry: arena.stack.info.registry, product });
    expect(honest.complete).toBe(true);
    return lied;
  }
  const second = `0x${'2'.padStart(64, '0')}`;

  test('by leaving an event out (A20) is told that it is missing', async () => {
    const report = await audited((logs) => logs.filter(({ topics }) => topics[2] !== second));
    expect(report).toMatchObject({
      complete: false,
      firstDifference: { sequence: 2, message: expect.stringContaining('leaves out event 2') },
    });
  });

  test.each([
    ['of another contract', (log: Log) => ({ ...log, address: `0x${'11'.repeat(20)}` })],
    [
      'of another kind',
      ({ topics: [, ...topics], ...log }: Log) => ({ ...log, topics: [`0x${'22'.repeat(32)}`, ...topics] }),
    ],
    ['with other data', (log: Log) => ({ ...log, data: log.data.replace(/^0x.{10}/, '0x0123456789') })],
  ])('by an event %s (A21) does not have it counted', async (_, change) => {
    const report = await audited((logs) => logs.map((log) => (log.topics[2] === second ? change(log) : log)));
    expect(report.complete).toBe(false);
  });
});

describe('A23 a reorganisation', () => {
  test('below what was final stops nothing and installs nothing; the device goes on with the next event', () =>
    withDevice(async (device) => {
      const { product, vendor } = arena.vendor;
      await arena.offers('2.0.0', device);
      expect(await device.install()).toMatchObject(updated);
      await arena.vendor.promote('2.0.0');
      const { sequence } = await vendor.client.product(product);
      const codes = new Set<string>();
      const seen = async () => {
        const { verdict } = await device.check();
        codes.add('code' in verdict ? verdict.code : verdict.outcome);
        return (await device.status()).sequence;
      };
      await eventually(seen, (now) => now === sequence, 'the device to have seen it');
      const rpc = createRpc(arena.stack.rpcUrl);
      await rpc('anvil_reorg', [4, []]);
      await rpc('anvil_mine', ['0x3']);
      // The server has what was lost relayed again; meanwhile the device asks all the time.
      const { registry } = arena.stack.info;
      await eventually(
        async () => {
          await seen();
          return auditSummary({ rpcUrls: [arena.stack.rpcUrl], registry, product });
        },
        (report) => report.sequence === sequence,
        'the chain to have the promotion again',
      );
      await eventually(
        () => arena.vendor.promote('2.0.0'),
        ({ state }) => state === 'confirmed',
        'the server to have it',
      );
      await eventually(seen, (now) => now !== null && now > sequence, 'the device to go on');
      for (const code of codes)
        expect(['already-installed', 'sequence-rollback', 'equivocation', 'unavailable']).toContain(code);
      expect(device.running()).toBe(sha256(arena.images['2.0.0']));
      expect(await device.status()).toMatchObject({ state: 'idle', lastVerdict: { code: 'already-installed' } });
    }));
});
