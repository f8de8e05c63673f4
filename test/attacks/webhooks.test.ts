// A27: webhooks as a way into the operator's network. A35, A40: what a stolen token can make of them, and what they give away.
import { createServer, type RequestListener, type Server } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Administration, FirmproofClient, WalletApprover, walletKey } from '@firmproof/client';
import { parseWebhookSecret, signWebhook } from '@firmproof/protocol';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSender } from '../../server/src/webhooks/sender.ts';
import { expectCode } from '../support/expect-code.ts';
import { destroyStack, eventually, type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
/** A server for others, as it is beside a chain of its own: no development server. */
let open: Stack;
let admin: Administration;

beforeAll(async () => {
  stack = await startStack();
  open = await startStack(undefined, {
    FIRMPROOF_RPC_URL: stack.rpcUrl,
    FIRMPROOF_REGISTRY: stack.info.registry,
    FIRMPROOF_RELAYER_KEY_FILE: join(stack.directory, 'chain', 'relayer.key'),
    FIRMPROOF_WITNESSES: 'nobody=http://127.0.0.1:9',
  });
  const wallet = new Wallet(Wallet.createRandom().privateKey);
  const login = await new WalletApprover(walletKey(wallet)).login(open.url, open.info.chainId);
  const client = new FirmproofClient({ server: open.url });
  const { token, publisher } = await client.login({ ...login, scopes: ['admin'] });
  admin = new Administration(client.withToken(token), publisher);
});
afterAll(async () => {
  await destroyStack(open);
  await destroyStack(stack);
});

describe('a webhook into the network of the server (A27)', () => {
  test.each([
    ['without TLS', 'http://example.com/'],
    ['to the server itself', 'https://127.0.0.1:8440/v1/info'],
    ['to the loopback in other digits', 'https://2130706433/'],
    ['to the loopback in other clothes', 'https://[::ffff:127.0.0.1]/'],
    ['to the loopback through a translation', 'https://[64:ff9b::7f00:1]/'],
    ['to the cloud’s metadata', 'https://169.254.169.254/latest/meta-data/'],
    ['to a neighbour', 'https://10.0.0.7/'],
    ['to many neighbours', 'https://224.0.0.1/'],
    ['by name', 'https://localhost/'],
    ['by name with a dot', 'https://localhost./'],
  ])('%s is not taken', async (_, url) => {
    await expectCode('webhook-address-forbidden', () => admin.addWebhook({ url, events: ['release.published'] }));
  });

  test('by a name that leads there is not called, and says so', async () => {
    const { id } = await admin.addWebhook({ url: `https://${hostname()}/`, events: ['release.published'] });
    const { id: delivery } = await admin.testWebhook(id);
    const tried = await eventually(
      () => admin.delivery(id, delivery),
      ({ attemptCount }) => attemptCount > 0,
      'an attempt',
    );
    expect(tried.attempts[0]?.problem).toMatch(/^the name (?:leads to a private address|is not known)/);
  });
});

describe('a receiver that does harm', () => {
  const headers = signWebhook(
    { id: 'msg_1', timestamp: 1, body: '{}' },
    parseWebhookSecret(`whsec_${Buffer.alloc(32, 7).toString('base64')}`),
  );
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function answerOf(listener: RequestListener, policy = { development: true, privateHosts: [] as string[] }) {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return createSender(policy, 400).send(`http://127.0.0.1:${port}/`, headers, '{}');
  }

  test('by silence has so long and no longer', async () => {
    expect(await answerOf(() => undefined)).toEqual({ problem: 'no answer in time' });
  });

  test('by an answer without end has its beginning read', async () => {
    const answer = await answerOf((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(10_000)), 5);
      response.on('close', () => clearInterval(timer));
    });
    expect(answer).toEqual({ status: 200, excerpt: 'x'.repeat(500) });
  });

  test('by an answer that drips has its status counted', async () => {
    const answer = await answerOf((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 50);
      response.on('close', () => clearInterval(timer));
    });
    expect(answer).toMatchObject({ status: 200 });
  });

  test('by endless headers is given up', async () => {
    const answer = await answerOf((_request, response) => {
      response.writeHead(200, { 'x-long': 'x'.repeat(9000) }).end();
    });
    expect(answer).toEqual({ problem: 'the headers of the answer are too large' });
  });

  test('by an address that nobody allowed is not even connected to', async () => {
    let calls = 0;
    const answer = await answerOf(
      () => {
        calls += 1;
      },
      { development: false, privateHosts: [] },
    );
    expect(answer).toEqual({ problem: 'this server sends webhooks over https only' });
    expect(calls).toBe(0);
  });
});
