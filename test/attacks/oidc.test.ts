// A35: who logs in with an ID token has to be whom the trust root names, by an issuer that the operator names, for this very
// server; and what the token buys is noise about one product, nothing more.
import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofClient, keylessAttester, Vendor, WalletApprover, walletKey } from '@firmproof/client';
import { type ErrorCode, parseVersion } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Ci } from '../support/ci.ts';
import { expectCode } from '../support/expect-code.ts';
import { problemOf } from '../support/http.ts';
import { type Claims, github, OidcIssuer, signJwt } from '../support/oidc-issuer.ts';
import { destroyStack, makeVendor, startStack, type TestVendor } from '../support/stack.ts';

let ci: Ci;
let lamp: TestVendor;
let other: TestVendor;
beforeAll(async () => {
  ci = await Ci.open();
  lamp = await ci.team('lamp');
  other = await makeVendor(ci.stack, { name: 'other' });
});
afterAll(() => ci.close());

const post = (path: string, body: unknown, token?: string) =>
  fetch(`${ci.stack.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
const origin = () => new URL(ci.stack.url).origin;
const idToken = (claims: Claims = {}) => ci.issuer.token({ ...ci.run.claims, aud: origin(), ...claims });
const logIn = (token: string, product: string = lamp.product) => post('/v1/tokens/oidc', { token, product });

async function refused(status: number, code: ErrorCode, answer: Promise<Response>): Promise<void> {
  const response = await answer;
  const problem = await problemOf(response);
  expect({ status: response.status, code: problem.code, detail: problem.detail }).toMatchObject({ status, code });
}

/** A token of CI for the lamp. */
async function ciToken(): Promise<string> {
  const response = await logIn(idToken());
  expect(response.status).toBe(201);
  return ((await response.json()) as { token: string }).token;
}

describe('an ID token', () => {
  test('of the named identity buys a token for minutes, for proposing releases of this product', async () => {
    const response = await logIn(idToken());
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const answer = (await response.json()) as { expiresAt: number };
    expect(answer).toMatchObject({ publisher: lamp.vendor.account, product: lamp.product, scopes: ['propose'] });
    expect(answer.expiresAt - Date.now() / 1000).toBeLessThanOrEqual(900);
  });

  const now = () => Math.floor(Date.now() / 1000);
  const { privateKey: strangeKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const segments = (header: object, claims: Claims) =>
    [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const claims = (): Claims => ({ ...ci.run.claims, aud: origin(), iat: now(), exp: now() + 300 });
  const invalid: readonly (readonly [string, () => string])[] = [
    ['that has expired', () => idToken({ exp: now() - 60 })],
    ['that never expires', () => idToken({ exp: undefined })],
    ['that is not valid yet', () => idToken({ nbf: now() + 600 })],
    ['for another audience', () => idToken({ aud: 'https://updates.elsewhere.example' })],
    ['for Fulcio', () => idToken({ aud: 'sigstore' })],
    ['for this server and another', () => idToken({ aud: [origin(), 'https://updates.elsewhere.example'] })],
    ['without an audience', () => idToken({ aud: undefined })],
    ['with algorithm none', () => `${segments({ alg: 'none', typ: 'JWT' }, claims())}.`],
    [
      'whose secret is the public key',
      () => {
        const signed = segments({ alg: 'HS256', kid: 'first' }, claims());
        const secret = ci.issuer.publicKey.export({ format: 'pem', type: 'spki' });
        return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
      },
    ],
    ['by a key of nobody', () => signJwt(claims(), strangeKey, { kid: 'first' })],
    [
      'that brings its own key along',
      () => signJwt(claims(), strangeKey, { jwk: ci.issuer.publicKey.export({ format: 'jwk' }), kid: 'first' }),
    ],
    [
      'with other claims than were signed',
      () => {
        const [header, , signature] = idToken({
          job_workflow_ref: 'thief/thief/.github/workflows/x.yml@refs/heads/main',
        }).split('.');
        return [header, Buffer.from(JSON.stringify(claims())).toString('base64url'), signature].join('.');
      },
    ],
    ['of GitHub that names no workflow', () => idToken({ job_workflow_ref: undefined })],
    ['that is no token', () => 'eyJ.eyJ.x'],
    ['that is not even three parts', () => 'secret'],
  ];
  test.each(invalid)('%s is refused', async (_, make) => {
    await refused(401, 'oidc-token-invalid', logIn(make()));
  });

  test('of an issuer that the operator does not name is refused, unasked', async () => {
    const stranger = await OidcIssuer.start();
    try {
      const token = stranger.token({ ...ci.run.claims, iss: stranger.name, aud: origin() });
      await refused(403, 'oidc-issuer-unknown', logIn(token));
      await refused(403, 'oidc-issuer-unknown', logIn(idToken({ iss: `${github}/` })));
      expect(stranger.requests).toEqual([]);
    } finally {
      await stranger.stop();
    }
  });

  test('is refused by a server that names no issuer at all', async () => {
    const stack = await startStack();
    try {
      const vendor = await makeVendor(stack, ci.signers);
      const token = idToken({ aud: new URL(stack.url).origin });
      const answer = fetch(`${stack.url}/v1/tokens/oidc`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token, product: vendor.product }),
      });
      await refused(403, 'oidc-issuer-unknown', answer);
    } finally {
      await destroyStack(stack);
    }
  });

  test('of an identity that the trust root does not name is refused', async () => {
    const workflow = 'acme/lamp/.github/workflows/test.yml@refs/heads/main';
    await refused(403, 'oidc-identity-unknown', logIn(idToken({ job_workflow_ref: workflow })));
    await refused(403, 'oidc-identity-unknown', logIn(idToken(), other.product));
    await refused(404, 'product-not-found', logIn(idToken(), `0x${'12'.repeat(32)}`));
  });

  test('is bounded in size, and so is its answer', async () => {
    await refused(400, 'request-invalid', logIn('x'.repeat(20_000)));
    await refused(400, 'request-invalid', post('/v1/tokens/oidc', { token: 7 }));
  });
});

describe('the token of CI', () => {
  test('opens nothing but proposals of releases and promotions of its product', async () => {
    const token = await ciToken();
    const { product } = lamp;
    for (const path of ['revocations', 'halts', 'configurations', 'applications', 'vetoes'])
      await refused(403, 'token-scope', post(`/v1/products/${product}/${path}`, {}, token));
    await refused(403, 'token-scope', post(`/v1/products/${product}/channels/stable/stop`, {}, token));
    await refused(403, 'token-scope', post(`/v1/accounts/${lamp.vendor.account}/signers`, {}, token));
    await refused(403, 'token-scope', post(`/v1/products/${other.product}/releases`, {}, token));
    await refused(403, 'token-scope', post(`/v1/products/${other.product}/promotions`, {}, token));
    const authorization = `Bearer ${token}`;
    const proposals = fetch(`${ci.stack.url}/v1/accounts/${lamp.vendor.account}/proposals`, {
      headers: { authorization },
    });
    await refused(403, 'token-scope', proposals);
    // What it may do fails for what is in it, no sooner.
    await refused(400, 'request-invalid', post(`/v1/products/${product}/promotions`, {}, token));
  });

  test('publishes nothing by itself, not even with the identity of CI: the team has to approve', async () => {
    const client = new FirmproofClient({ server: ci.stack.url, token: await ciToken() });
    const thief = await Vendor.open(client, new WalletApprover(walletKey(other.wallet)));
    const file = join(ci.stack.directory, 'thief.bin');
    writeFileSync(file, randomBytes(500));
    const attester = keylessAttester(ci.sigstore.services, async (aud) => idToken({ aud }));
    const release = { product: lamp.product, version: parseVersion('6.6.6') };
    const prepared = await thief.prepare(file, release, attester);
    await expectCode('approval-invalid', () => thief.upload(file, prepared));
    const waiting = await client.follow(
      (await client.publish({ ...prepared, by: { approvals: [] } }, file)).id,
      undefined,
      { untilItWaits: true },
    );
    expect(waiting).toMatchObject({ state: 'approving', reason: { code: 'approvals-missing' }, approvals: [] });
    await expectCode('release-not-found', () => client.release(lamp.product, release.version));
  });

  test('is not handed out without end', async () => {
    const answers: number[] = [];
    while (answers.length < 110 && answers.at(-1) !== 429) answers.push((await logIn(idToken())).status);
    expect(answers.at(-1)).toBe(429);
    await refused(429, 'quota-exceeded', logIn(idToken()));
  });
});
