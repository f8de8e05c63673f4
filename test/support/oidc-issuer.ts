import { createHash, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export type Claims = Readonly<Record<string, unknown>>;

/** Signs a JWT (RFC 7519) with RS256. */
export function signJwt(payload: object, key: KeyObject, header: object = {}): string {
  const signed = `${base64url({ alg: 'RS256', typ: 'JWT', ...header })}.${base64url(payload)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

export const github = 'https://token.actions.githubusercontent.com';

/** Claims of a run of GitHub Actions, as far as anybody looks at them, and the identity that Fulcio makes of them. */
export function githubRun(workflow = 'acme/lamp/.github/workflows/publish-keyless.yml@refs/heads/release') {
  const [owner = '', repository = ''] = workflow.split('/');
  const claims: Claims = {
    iss: github,
    sub: `repo:${owner}/${repository}:ref:refs/heads/release`,
    repository: `${owner}/${repository}`,
    job_workflow_ref: workflow,
    workflow_ref: workflow,
  };
  return { claims, identity: `https://github.com/${workflow}` };
}

/**
 * An OpenID Connect issuer behind real HTTP: keys, discovery, and ID tokens as GitHub Actions hands them out. `name` is what it
 * calls itself; its keys lie here all the same.
 */
export class OidcIssuer {
  readonly url: string;
  readonly name: string;
  key: KeyObject;
  publicKey: KeyObject;
  /** Answers in place of the issuer, where a test wants it; answers whether it has. */
  answer: (path: string, response: ServerResponse) => boolean = () => false;
  /** Requests by path. */
  readonly requests: string[] = [];
  #keyId = 'first';
  readonly #runs = new Map<string, Claims>();
  readonly #close: () => Promise<void>;

  private constructor(url: string, name: string | undefined, close: () => Promise<void>) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.key = privateKey;
    this.publicKey = publicKey;
    this.url = url;
    this.name = name ?? url;
    this.#close = close;
  }

  static async start(name?: string): Promise<OidcIssuer> {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', issuer.url);
      issuer.requests.push(url.pathname);
      if (issuer.answer(url.pathname, response)) return;
      const answer = issuer.#answer(url, request.headers.authorization);
      response.writeHead(answer === null ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const close = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    const issuer: OidcIssuer = new OidcIssuer(`http://127.0.0.1:${port}`, name, close);
    return issuer;
  }

  get keysUrl(): string {
    return `${this.url}/keys`;
  }

  #answer(url: URL, authorization: string | undefined): object | null {
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return { issuer: this.name, jwks_uri: this.keysUrl };
      case '/keys':
        return { keys: [{ ...this.publicKey.export({ format: 'jwk' }), kid: this.#keyId, use: 'sig', alg: 'RS256' }] };
      case '/token': {
        const claims = this.#runs.get(authorization ?? '');
        return claims ? { value: this.token({ aud: url.searchParams.get('audience'), ...claims }) } : null;
      }
      default:
        return null;
    }
  }

  /** From now on another key signs. */
  rotate(): void {
    ({ privateKey: this.key, publicKey: this.publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 }));
    this.#keyId = `key-${Date.now()}`;
  }

  get keyId(): string {
    return this.#keyId;
  }

  /** An ID token, as real as its claims. */
  token(claims: Claims): string {
    const now = Math.floor(Date.now() / 1000);
    return signJwt({ iss: this.name, sub: 'somebody', iat: now, nbf: now, exp: now + 300, ...claims }, this.key, {
      kid: this.#keyId,
    });
  }

  /** The claims of a token, if this issuer has signed it for the audience. */
  claimsOf(token: string, audience: string): Claims | null {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const signed = Buffer.from(`${header}.${payload}`);
    if (!verify('sha256', signed, this.publicKey, Buffer.from(signature, 'base64url'))) return null;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return claims.aud === audience && claims.exp > Date.now() / 1000 ? claims : null;
  }

  /** The environment of a run whose ID tokens have these claims. */
  run(claims: Claims): Record<string, string> {
    const secret = `Bearer ${createHash('sha256').update(JSON.stringify(claims)).digest('hex')}`;
    this.#runs.set(secret, claims);
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.url}/token?api-version=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret.slice('Bearer '.length),
    };
  }

  stop(): Promise<void> {
    return this.#close();
  }
}
