import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identityOfClaims } from '../../../server/src/oidc/identity.ts';
import { createIssuer } from '../../../server/src/oidc/issuer.ts';
import { expectCode } from '../../support/expect-code.ts';
import { github, githubRun, OidcIssuer } from '../../support/oidc-issuer.ts';

describe('the identity of claims is the one that Fulcio certifies', () => {
  const { claims, identity } = githubRun();
  const gitlab = { iss: 'https://gitlab.com', sub: 'project_path:acme/lamp' };
  const buildkite = { iss: 'https://agent.buildkite.com', sub: 'organization:acme' };
  const dex = 'https://dex.example.com';
  test.each([
    ['a workflow of GitHub', claims, identity],
    ['an enterprise of GitHub', { ...claims, iss: `${github}/acme` }, identity],
    ['GitHub without a workflow', { ...claims, job_workflow_ref: undefined }, null],
    [
      'GitHub with an e-mail address',
      { ...claims, job_workflow_ref: undefined, email: 'a@b.c', email_verified: true },
      null,
    ],
    ['somebody who looks like GitHub', { ...claims, iss: `${github}.evil.example` }, claims['sub']],
    [
      'GitLab',
      { ...gitlab, ci_config_ref_uri: 'gitlab.com/acme/lamp//.gitlab-ci.yml@refs/heads/main' },
      'https://gitlab.com/acme/lamp//.gitlab-ci.yml@refs/heads/main',
    ],
    ['GitLab without a configuration', gitlab, null],
    [
      'Buildkite',
      { ...buildkite, organization_slug: 'acme', pipeline_slug: 'lamp' },
      'https://buildkite.com/acme/lamp',
    ],
    ['Buildkite without a pipeline', { ...buildkite, organization_slug: 'acme' }, null],
    ['an e-mail address', { iss: dex, sub: '7', email: 'ci@example.com', email_verified: true }, 'ci@example.com'],
    ['an e-mail address that nobody has verified', { iss: dex, sub: '7', email: 'ci@example.com' }, null],
    [
      'an e-mail address that is "verified"',
      { iss: dex, sub: '7', email: 'ci@example.com', email_verified: 'true' },
      null,
    ],
    ['a subject', { iss: dex, sub: 'https://ci.example.com/job' }, 'https://ci.example.com/job'],
    ['nobody', { iss: dex }, null],
    ['claims of another kind', { iss: dex, sub: 7 }, null],
    ['claims without end', { iss: dex, sub: 'x'.repeat(2000) }, null],
  ])('%s', (_, payload, expected) => {
    expect(identityOfClaims(payload)).toBe(expected);
  });

  test('whatever the claims are, it is text or nothing', () => {
    const keys = ['iss', 'sub', 'email', 'email_verified', 'job_workflow_ref', 'ci_config_ref_uri'];
    const payload = fc.dictionary(
      fc.constantFrom(...keys),
      fc.oneof(fc.jsonValue(), fc.constantFrom(github, 'https://gitlab.com')),
    );
    fc.assert(
      fc.property(payload, (some) => {
        const identity = identityOfClaims(some);
        expect(identity === null || (typeof identity === 'string' && identity.length > 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('an issuer', () => {
  const audience = 'https://updates.example.com';
  let service: OidcIssuer;
  let seconds: number;
  beforeEach(async () => {
    service = await OidcIssuer.start();
    seconds = Math.floor(Date.now() / 1000);
  });
  afterEach(() => service.stop());

  const open = (keysUrl: string | null = null) => createIssuer({ issuer: service.name, keysUrl }, () => seconds);
  const token = (claims: object = {}) => service.token({ aud: audience, exp: seconds + 7200, ...claims });
  const keyRequests = () => service.requests.filter((path) => path === '/keys').length;

  test('is asked for its keys once, however many log in', async () => {
    const issuer = open();
    await Promise.all(Array.from({ length: 20 }, () => issuer.verify(token(), audience)));
    expect(service.requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  test('may have its keys elsewhere', async () => {
    expect(await open(service.keysUrl).verify(token({ sub: 'me' }), audience)).toMatchObject({ sub: 'me' });
    expect(service.requests).toEqual(['/keys']);
  });

  test('is asked again when a new key has signed, but not as often as somebody likes', async () => {
    const issuer = open(service.keysUrl);
    await issuer.verify(token(), audience);
    service.rotate();
    await expectCode('oidc-token-invalid', () => issuer.verify(token(), audience));
    expect(keyRequests()).toBe(1);
    seconds += 30;
    await issuer.verify(token(), audience);
    expect(keyRequests()).toBe(2);
  });

  test('lasts through an outage on the keys that are known, and says so when there are none', async () => {
    const issuer = open(service.keysUrl);
    await issuer.verify(token(), audience);
    service.answer = fails(500);
    seconds += 3600;
    await issuer.verify(token(), audience);
    expect(keyRequests()).toBe(2);
    const late = open(service.keysUrl);
    await expectCode('oidc-issuer-unreachable', () => late.verify(token(), audience));
    await expectCode('oidc-issuer-unreachable', () => late.verify(token(), audience));
    expect(keyRequests()).toBe(3);
  });

  const fails =
    (status: number, headers: Record<string, string> = {}, body = '{}') =>
    (_: string, response: ServerResponse) => {
      response.writeHead(status, headers).end(body);
      return true;
    };

  test('cannot send the server on, not even to the right keys', async () => {
    service.answer = (path, response) => path === '/moved' && fails(302, { location: service.keysUrl })(path, response);
    await expectCode('oidc-issuer-unreachable', () => open(`${service.url}/moved`).verify(token(), audience));
    expect(keyRequests()).toBe(0);
  });

  test('cannot drown the server, or speak for another', async () => {
    const cases = [
      fails(200, {}, ' '.repeat(300 * 1024)),
      fails(200, {}, '{"keys": 7}'),
      fails(200, {}, 'keys'),
      fails(200, {}, JSON.stringify({ issuer: 'https://another.example', jwks_uri: service.keysUrl })),
      fails(200, {}, JSON.stringify({ issuer: service.name, jwks_uri: 'file:///etc/passwd' })),
    ];
    for (const answer of cases) {
      service.answer = answer;
      await expectCode('oidc-issuer-unreachable', () => open().verify(token(), audience));
    }
    await expectCode('oidc-issuer-unreachable', () => open('http://127.0.0.1:1/keys').verify(token(), audience));
  });
});
