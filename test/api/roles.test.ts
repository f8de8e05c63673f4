// Who may what: each operation of the API against tokens with each role, tokens of one product, and the log that tells of them.
import { randomBytes } from 'node:crypto';
import { Administration, FirmproofClient, WalletApprover, walletKey } from '@firmproof/client';
import { type TokenScope, tokenScopes } from '@firmproof/protocol';
import type { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../server/src/http/openapi.ts';
import { rolesOf } from '../../server/src/http/role-guard.ts';
import { expectCode } from '../support/expect-code.ts';
import { problemOf } from '../support/http.ts';
import { destroyStack, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';

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
    expect(listed?.lastUsedAt).toBe(Math.floor(Date.now() / 1000 / 3600) * 3600);
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
