import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createPlainServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type FetchLimits, type FetchOptions, fetchBounded } from '../../../../device-agent/src/network/http.ts';
import { lookUpPublic } from '../../../../device-agent/src/network/private-host.ts';
import { useProxies } from '../../../../device-agent/src/network/proxy.ts';
import { createTokenBucket } from '../../../../device-agent/src/network/token-bucket.ts';
import { ConnectProxy } from '../../../support/connect-proxy.ts';
import { expectCode } from '../../../support/expect-code.ts';
import { selfSigned } from '../../../support/tls.ts';

const servers: Server[] = [];
let answer: RequestListener;
let http: string;
let tls: string;
let own: FetchOptions;

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return String((server.address() as AddressInfo).port);
}

beforeAll(async () => {
  const handler: RequestListener = (request, response) => answer(request, response);
  http = `http://127.0.0.1:${await listen(createServer(handler))}`;
  const expired = await selfSigned('2001-01-01', '2002-01-01');
  tls = `https://127.0.0.1:${await listen(createTlsServer(expired, handler))}`;
  own = { ownOrigins: new Set([http, tls]) };
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
afterEach(() => useProxies({}));

const limits: FetchLimits = {
  maximumBytes: 1_000_000,
  tooLargeCode: 'evidence-malformed',
  minimumBytesPerSecond: 0,
  timeoutSeconds: 30,
};
const says =
  (text: string): RequestListener =>
  (_, response) =>
    response.end(text);
const textOf = async (url: string, options = own, change: Partial<FetchLimits> = {}) =>
  Buffer.from((await fetchBounded(url, { ...limits, ...change }, options)).bytes).toString();

describe('a source', () => {
  test('that sends more than may be is cut off by the code of the caller, and the connection with it', async () => {
    let closed = false;
    answer = (_, response) => {
      const send = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', send).on('close', () => {
        closed = true;
      });
      send();
    };
    await expectCode('evidence-malformed', () => textOf(http));
    await expect.poll(() => closed).toBe(true);
  });

  test('that never answers is unavailable', async () => {
    answer = () => undefined;
    await expectCode('unavailable', () => textOf(http, own, { timeoutSeconds: 0.3 }));
  });

  test('that falls silent in the middle is too slow', async () => {
    answer = (_, response) => void response.writeHead(200).write('some');
    await expectCode('download-too-slow', () => textOf(http, own, { timeoutSeconds: 0.3 }));
  });

  test('that drips is too slow once its time is over, however often a byte comes', async () => {
    answer = (_, response) => {
      const timer = setInterval(() => response.write('.'), 50);
      response.on('close', () => clearInterval(timer));
    };
    await expectCode('download-too-slow', () => textOf(http, own, { timeoutSeconds: 0.5 }));
  });

  test('that breaks off is unavailable: half an answer is none', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('half', () => response.destroy());
    };
    await expectCode('unavailable', () => textOf(http));
  });

  test.each(['no HTTP at all', 'HTTP/1.1 200 OK\r\nbroken header\r\n\r\n'])(
    'that says %j is unavailable',
    async (text) => {
      const sockets: Socket[] = [];
      const server = createPlainServer(
        (socket) => sockets.push(socket.on('error', () => undefined)) && socket.end(text),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await expectCode('unavailable', () => textOf(url, { ownOrigins: new Set([url]) }));
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  );

  test('that is not there is unavailable, and the message says why without any credentials', async () => {
    const url = 'http://user:secret@127.0.0.1:1/file?token=secret';
    await expect(fetchBounded(url, limits, { ownOrigins: new Set(['http://127.0.0.1:1']) })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'http://127.0.0.1:1/file cannot be reached (ECONNREFUSED)',
    });
  });

  test('is not blamed for the limit that the device itself has set', async () => {
    answer = says('x'.repeat(4000));
    const throttle = createTokenBucket(4000, {
      nowSeconds: () => performance.now() / 1000,
      pause: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
    });
    await throttle(6000);
    await expect(textOf(http, { ...own, throttle }, { timeoutSeconds: 0.9 })).resolves.toHaveLength(4000);
  });
});

describe('redirects', () => {
  /** Each path leads on to the place of the same name. */
  const leadsTo =
    (places: Record<string, string>): RequestListener =>
    (request, response) => {
      const location = places[request.url ?? ''];
      if (location === undefined) response.end('arrived');
      else response.writeHead(302, { location }).end();
    };

  test('are followed, also relative ones and to TLS', async () => {
    answer = leadsTo({ '/a': '/b', '/b': `${tls}/c`, '/c': 'd' });
    await expect(textOf(`${http}/a`)).resolves.toBe('arrived');
  });

  test('end after five', async () => {
    const chain = (length: number) =>
      leadsTo(Object.fromEntries(Array.from({ length }, (_, at) => [`/${at}`, `/${at + 1}`])));
    answer = chain(5);
    await expect(textOf(`${http}/0`)).resolves.toBe('arrived');
    answer = chain(6);
    await expectCode('redirect-refused', () => textOf(`${http}/0`));
    answer = leadsTo({ '/loop': '/loop' });
    await expectCode('redirect-refused', () => textOf(`${http}/loop`));
  });

  test.each([
    'file:///etc/passwd',
    'ftp://updates.example/file',
    'data:text/plain,hello',
    'javascript:alert(1)',
    'http://169.254.169.254/latest/meta-data',
    'http://2130706433/',
    'http://[::ffff:10.0.0.1]/',
    'https://[fd00::1]/',
    'http://printer.local/',
    'http://',
  ])('to %s are refused before anything is asked there', async (location) => {
    answer = leadsTo({ '/away': location });
    await expectCode('redirect-refused', () => textOf(`${http}/away`));
  });

  test('never lead out of TLS', async () => {
    answer = leadsTo({ '/away': `${http}/there` });
    await expectCode('redirect-refused', () => textOf(`${tls}/away`));
  });

  test('do not take the condition of a request elsewhere as an answer', async () => {
    answer = (_, response) => void response.writeHead(302).end('no place');
    await expect(fetchBounded(http, limits, own)).resolves.toMatchObject({ status: 302 });
  });
});

describe('a private address (A27)', () => {
  test('is not asked because somebody else names it', async () => {
    answer = says('never');
    await expectCode('redirect-refused', () => textOf(http, { ownOrigins: new Set() }));
    await expectCode('redirect-refused', () => textOf(http, { ownOrigins: new Set(['http://127.0.0.1:1']) }));
  });

  test('hidden behind a public name is not asked either', async () => {
    const found = (all: boolean) =>
      new Promise((resolve) => lookUpPublic('localhost', { all }, (error, address) => resolve(error?.code ?? address)));
    expect(await found(true)).toBe('PRIVATE_ADDRESS');
    expect(await found(false)).toBe('PRIVATE_ADDRESS');
  });
});

describe('a certificate that would not do', () => {
  test('is noted, and the fetch goes on', async () => {
    answer = says('over TLS');
    const problems: (string | null)[] = [];
    const onCertificate = (problem: string | null) => problems.push(problem);
    await expect(textOf(tls, { ...own, onCertificate })).resolves.toBe('over TLS');
    await expect(textOf(http, { ...own, onCertificate })).resolves.toBe('over TLS');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^(DEPTH_ZERO_SELF_SIGNED_CERT|CERT_HAS_EXPIRED)$/);
  });
});

describe('a proxy', () => {
  let proxy: ConnectProxy;
  beforeAll(async () => {
    proxy = await ConnectProxy.start();
  });
  afterAll(() => proxy.stop());
  afterEach(() => {
    proxy.asked.length = 0;
  });

  test.each(['capitals', 'small letters'])(
    'of the environment is used, in %s: whole addresses for HTTP, a tunnel for TLS',
    async (how) => {
      answer = says('through the proxy');
      const variables = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
      useProxies(
        how === 'capitals'
          ? variables
          : Object.fromEntries(Object.entries(variables).map(([name, url]) => [name.toLowerCase(), url])),
      );
      await expect(textOf(`${http}/plain`)).resolves.toBe('through the proxy');
      const problems: (string | null)[] = [];
      await expect(textOf(tls, { ...own, onCertificate: (problem) => problems.push(problem) })).resolves.toBe(
        'through the proxy',
      );
      expect(proxy.asked).toEqual([`GET ${http}/plain`, `CONNECT ${new URL(tls).host}`]);
      expect(problems).toEqual([expect.stringMatching(/CERT/)]);
    },
  );

  test('is passed by for the hosts of NO_PROXY', async () => {
    answer = says('directly');
    useProxies({ HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' });
    await expect(textOf(http)).resolves.toBe('directly');
    expect(proxy.asked).toEqual([]);
  });

  test('that is gone makes sources unavailable, and is named without its password', async () => {
    const gone = 'http://user:secret@127.0.0.1:1';
    const isSaid = (url: string, message: string) =>
      expect(textOf(url, { ownOrigins: new Set([new URL(url).origin]) })).rejects.toMatchObject({
        code: 'unavailable',
        message,
      });
    const saysGone = 'the proxy http://127.0.0.1:1/ cannot be reached (ECONNREFUSED)';
    useProxies({ HTTP_PROXY: gone });
    await isSaid(`${http}/x`, `${http}/x: ${saysGone}`);
    useProxies({ HTTPS_PROXY: gone });
    await isSaid(`${tls}/x`, `${tls}/x: ${saysGone}`);
    useProxies({ HTTP_PROXY: 'http://nowhere.invalid:3128' });
    await isSaid(`${http}/x`, `${http}/x: the proxy http://nowhere.invalid:3128/ cannot be reached (ENOTFOUND)`);
    // What is asked directly is gone itself.
    useProxies({ HTTP_PROXY: gone, NO_PROXY: '127.0.0.1' });
    await isSaid('http://127.0.0.1:2/x', 'http://127.0.0.1:2/x cannot be reached (ECONNREFUSED)');
  });

  test('does not open the way to private addresses', async () => {
    useProxies({ HTTP_PROXY: proxy.url });
    await expectCode('redirect-refused', () => textOf(http, { ownOrigins: new Set() }));
    expect(proxy.asked).toEqual([]);
  });
});
