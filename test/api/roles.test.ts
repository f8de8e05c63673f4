// Who may what: each operation of the API against tokens with each role, tokens of one product, and the log that tells of them.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Administration, FirmproofClient, readServerLog, WalletApprover, walletKey } from '@firmproof/client';
import { type Address, type ServerLogHead, serverLogHash, type TokenScope, tokenScopes } from '@firmproof/protocol';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../server/src/http/openapi.ts';
import { rolesOf } from '../../server/src/http/role-guard.ts';
import { expectCode } from '../support/expect-code.ts';
import { problemOf } from '../support/http.ts';
import { destroyStack, makeVendor, type Stack, stable, startStack, type TestVendor } from '../support/stack.ts';

let stack: Stack;
let lamp: TestVendor;
let other: TestVendor;
/** The vendor, logged in to administer. */
let admin: Administration;
const made = new Map<TokenScope, string>();

const loginAs = async (wallet: Wallet, scopes?: TokenScope[]) => {
  const client = new FirmproofClient({ server: stack.url });
  const login = await new WalletApprover(walletKey(wallet)).login(stack.url, stack.info.chainId);
  return client.login({ ...login, ...(scopes && { scopes }) });
};

const administration = (token: string | undefined) =>
  new Administration(new FirmproofClient({ server: stack.url, token }), lamp.vendor.account);

beforeAll(async () => {
  stack = await startStack();
  [lamp, other] = await Promise.all([makeVendor(stack, { name: 'lamp' }), makeVendor(stack, { name: 'other' })]);
  admin = administration((await loginAs(lamp.wallet, ['admin'])).token);
  for (const scope of tokenScopes) {
    const product = scope === 'propose' ? { product: lamp.product } : {};
    const token = await admin.createToken({ scopes: [scope], lifetimeSeconds: 600, ...product });
    made.set(scope, token.token);
  }
});
afterAll(() => destroyStack(stack));

const zeros = `0x${'00'.repeat(32)}`;
const values: Readonly<Record<string, () => string>> = {
  product: () => lamp.product,
  account: () => lamp.vendor.account,
  address: () => lamp.vendor.account,
  version: () => '1.0.0',
  channel: () => 'stable',
  digest: () => 'ab'.repeat(32),
  device: () => '00000000-0000-4000-8000-000000000000',
  id: () => zeros,
  root: () => zeros,
  leaf: () => zeros,
};
const pathOf = (path: string) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (values[name] ?? (() => '1'))());

async function codeOf(method: string, path: string, token?: string): Promise<string> {
  const response = await fetch(`${stack.url}${path}`, {
    method: method.toUpperCase(),
    ...(token && { headers: { authorization: `Bearer ${token}` } }),
  });
  if (response.ok) return 'ok';
  return (await problemOf(response)).code;
}

const guarded = operations.flatMap((operation) => {
  const roles = rolesOf(operation);
  return roles === null ? [] : [{ ...operation, roles, name: `${operation.method} ${operation.path}` }];
});

describe('the table of roles', () => {
  test('names a role for everything that changes something, but for what signatures or ID tokens prove', () => {
    const open = operations.filter((operation) => operation.method !== 'get' && rolesOf(operation) === null);
    expect(open.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'post /v1/tokens',
      'post /v1/tokens/oidc',
      'post /v1/products/{product}/devices',
      'post /v1/products/{product}/receipts',
      'post /v1/proposals/{id}/approvals',
      'post /v1/proposals/{id}/rejections',
      'post /v1/products/{product}/releases/{version}/rebuilds',
    ]);
  });

  test.each(guarded)('$name', async ({ method, path, roles }) => {
    const at = pathOf(path);
    expect(await codeOf(method, at)).toBe('authentication-required');
    expect(await codeOf(method, at, `fp_${'A'.repeat(43)}`)).toBe('token-invalid');
    for (const scope of tokenScopes) {
      const code = await codeOf(method, at, made.get(scope));
      if (roles.includes(scope)) expect([scope, code]).not.toEqual([scope, 'token-scope']);
      else expect([scope, code]).toEqual([scope, 'token-scope']);
    }
  });

  test.each(guarded.filter(({ path }) => path.includes('{address}')))(
    '$name is for the own publisher alone',
    async ({ method, path }) => {
      const at = pathOf(path).replace(lamp.vendor.account, other.vendor.account);
      expect(await codeOf(method, at, made.get('admin'))).toBe('token-scope');
    },
  );
});

describe('tokens', () => {
  test('a login is for daily work; what is asked for besides is asked for by name, and admin lasts an hour', async () => {
    expect((await loginAs(lamp.wallet)).scopes).toEqual(['publish', 'read-receipts']);
    const login = await loginAs(lamp.wallet, ['admin']);
    expect(login.scopes).toEqual(['admin']);
    expect(login.expiresAt).toBeLessThanOrEqual(Date.now() / 1000 + 3600);
    await expectCode('request-invalid', () => loginAs(lamp.wallet, ['propose']));
  });

  test('one for a product opens nothing of another, nor what is of the whole publisher', async () => {
    const { token } = await admin.createToken({
      scopes: ['publish', 'read-receipts'],
      product: lamp.product,
      lifetimeSeconds: 600,
      label: 'the line',
    });
    expect(await codeOf('get', `/v1/products/${lamp.product}/fleet`, token)).toBe('ok');
    expect(await codeOf('get', `/v1/products/${other.product}/fleet`, token)).toBe('token-scope');
    expect(await codeOf('get', `/v1/accounts/${lamp.vendor.account}/proposals`, token)).toBe('token-scope');
    await expectCode('token-scope', () =>
      admin.createToken({ scopes: ['publish'], product: other.product, lifetimeSeconds: 600 }),
    );
    await expectCode('request-invalid', () =>
      admin.createToken({ scopes: ['admin'], product: lamp.product, lifetimeSeconds: 600 }),
    );
  });

  test('they are listed without themselves, and revoked at once', async () => {
    const label = `ci ${randomBytes(4).toString('hex')}`;
    const { id, token } = await admin.createToken({ scopes: ['read-receipts'], lifetimeSeconds: 600, label });
    expect(await codeOf('get', `/v1/products/${lamp.product}/fleet`, token)).toBe('ok');
    const listed = (await admin.tokens()).find((candidate) => candidate.id === id);
    expect(listed).toMatchObject({ label, scopes: ['read-receipts'], origin: 'token' });
    // To the hour, but never before it was made.
    expect(listed?.lastUsedAt).toBe(listed?.createdAt);
    expect(JSON.stringify(await admin.tokens())).not.toContain(token.slice(3));
    await admin.revokeToken(id);
    expect(await codeOf('get', `/v1/products/${lamp.product}/fleet`, token)).toBe('token-invalid');
    await expectCode('token-not-found', () => admin.revokeToken(id));
  });

  test('one that was made makes no other that could make more', async () => {
    const lesser = administration(made.get('admin'));
    await expectCode('token-scope', () => lesser.createToken({ scopes: ['admin'], lifetimeSeconds: 600 }));
    await lesser.createToken({ scopes: ['read-receipts'], lifetimeSeconds: 600 });
  });
});

describe('the log of the server', () => {
  const logged = async () => (await admin.log(-1, 1000)).items;
  const read = (known: readonly ServerLogHead[] = []) => readServerLog(admin, { known, whole: true, newest: 1000 });

  test('has what was done with tokens and to products, by whom, and nothing that is secret (A40)', async () => {
    const { client } = lamp.vendor;
    await lamp.publish('1.0.0', Buffer.from('logged'));
    await lamp.promote('1.0.0');
    await client.stop(lamp.product, stable);
    await client.resume(lamp.product, stable);
    await client.resume(lamp.product, stable);
    const claim = await client.mintClaimToken(lamp.product, { devices: 1, lifetimeSeconds: 600 });
    await client.revokeClaimToken(lamp.product, claim.id);
    const { newest } = await read();
    expect(newest[0]).toMatchObject({
      action: 'server-started',
      actor: 'server',
      details: { registry: stack.info.registry },
    });
    expect(newest[1]).toMatchObject({ action: 'login', actor: `account:${lamp.vendor.account}` });
    const actions = newest.slice(-4).map(({ action }) => action);
    expect(actions).toEqual(['channel-stopped', 'channel-resumed', 'claim-token-made', 'claim-token-revoked']);
    expect(newest.at(-4)).toMatchObject({ subject: lamp.product, details: { channel: 'stable', version: '1.0.0' } });
    expect(newest.at(-4)?.actor).toMatch(/^token:[0-9a-f]{16}$/);
    const all = JSON.stringify(newest);
    for (const secret of [...made.values(), claim.token]) expect(all).not.toContain(secret.slice(4));
  });

  test('folds refused logins, and strangers begin no log', async () => {
    const before = (await logged()).length;
    const login = await new WalletApprover(walletKey(other.wallet)).login(stack.url, stack.info.chainId);
    const forged = { ...login, message: { ...login.message, publisher: lamp.vendor.account } };
    const client = new FirmproofClient({ server: stack.url });
    for (let count = 0; count < 5; count += 1) await expectCode('login-invalid', () => client.login(forged));
    const news = (await logged()).slice(before);
    expect(news).toMatchObject([{ action: 'login-refused', actor: 'anybody', details: { code: 'login-invalid' } }]);
    const stranger = Wallet.createRandom().address.toLowerCase() as Address;
    await expectCode('login-invalid', () =>
      client.login({ ...login, message: { ...login.message, publisher: stranger } }),
    );
    const count = tamper((database) =>
      database.prepare('SELECT count(*) AS count FROM server_logs WHERE owner = ?').get(stranger),
    );
    expect(count).toEqual({ count: 0 });
  });

  test('names the first entry that somebody has changed, taken out or put in', async () => {
    const { head, newest } = await read();
    if (head === null) throw new Error('no log');
    const middle = newest[4];
    if (!middle) throw new Error('too few entries');
    const owner = lamp.vendor.account;
    const put = (position: number, entry: object) =>
      tamper((database) =>
        database
          .prepare('UPDATE server_log_entries SET document = ? WHERE owner = ? AND position = ?')
          .run(JSON.stringify(entry), owner, position),
      );
    const rewritten = async (index: number, known: readonly ServerLogHead[] = []) => {
      await expect(read(known)).rejects.toMatchObject({ code: 'server-log-rewritten', details: { index } });
    };
    put(4, { ...middle, time: middle.time + 1 });
    await rewritten(4);
    // With a hash that fits: then it is the next one that does not follow.
    const forged = { ...middle, time: middle.time + 1 };
    put(4, { ...forged, hash: serverLogHash(owner, forged) });
    await rewritten(5);
    put(4, middle);
    expect((await read([head])).head).toEqual(head);
    await rewritten(4, [{ index: 4, hash: head.hash }]);
    tamper((database) =>
      database.prepare('DELETE FROM server_log_entries WHERE owner = ? AND position = ?').run(owner, head.index),
    );
    await rewritten(head.index, [head]);
  });
});

function tamper<Result>(work: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(join(stack.directory, 'firmproof.sqlite'));
  try {
    return work(database);
  } finally {
    database.close();
  }
}
