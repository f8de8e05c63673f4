import { FirmproofError, parseJson, redactUrl } from '@firmproof/protocol';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import * as z from 'zod';

/** Signatures by a key pair only: `none` and secrets that both sides know are not among them. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const clockToleranceSeconds = 30;
const maximumDocumentBytes = 256 * 1024;
const fetchTimeoutMilliseconds = 5000;
/** Keys are asked for again after this, and when an unknown one has signed, but never more often than the pause. */
const keysAgeSeconds = 3600;
const keysPauseSeconds = 30;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
const keysSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

export type Issuer = ReturnType<typeof createIssuer>;

/**
 * One OpenID Connect issuer that the operator has named, and its keys.
 * @param keysUrl where its JWKS lies; null finds it by OpenID Connect Discovery
 */
export function createIssuer(
  { issuer, keysUrl }: { readonly issuer: string; readonly keysUrl: string | null },
  nowSeconds: () => number,
) {
  let known: { readonly keys: JSONWebKeySet; readonly fetchedAt: number } | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<JSONWebKeySet> | null = null;

  async function fetchKeys(): Promise<JSONWebKeySet> {
    triedAt = nowSeconds();
    const keys = await fetchDocument(keysUrl ?? (await discoverKeys(issuer)), keysSchema);
    known = { keys: keys as JSONWebKeySet, fetchedAt: nowSeconds() };
    return known.keys;
  }

  const mayAsk = () => nowSeconds() - triedAt >= keysPauseSeconds;

  /** Many logins at once ask the issuer once. */
  async function freshKeys(): Promise<JSONWebKeySet> {
    if (underWay === null) {
      if (known === null && !mayAsk())
        throw new FirmproofError(
          'oidc-issuer-unreachable',
          `the keys of ${redactUrl(issuer)} could not be fetched just now`,
        );
      underWay = fetchKeys().finally(() => {
        underWay = null;
      });
    }
    return underWay;
  }

  async function keysNow(): Promise<JSONWebKeySet> {
    if (known === null) return freshKeys();
    const isOld = nowSeconds() - known.fetchedAt >= keysAgeSeconds;
    const { keys } = known;
    return isOld && mayAsk() ? freshKeys().catch(() => keys) : keys;
  }

  return {
    issuer,

    /**
     * The claims of an ID token of this issuer for this audience alone.
     * @throws FirmproofError `oidc-token-invalid`, `oidc-issuer-unreachable`
     */
    async verify(token: string, audience: string): Promise<JWTPayload> {
      const check = async (keys: JSONWebKeySet) =>
        jwtVerify(token, createLocalJWKSet(keys), {
          issuer,
          audience,
          algorithms,
          clockTolerance: clockToleranceSeconds,
          currentDate: new Date(nowSeconds() * 1000),
          requiredClaims: ['exp', 'iat', 'sub'],
        });
      try {
        const { payload } = await check(await keysNow()).catch(async (error: unknown) => {
          if (error instanceof errors.JWKSNoMatchingKey && mayAsk()) return check(await freshKeys());
          throw error;
        });
        // Whoever else a token is for could bring it here.
        if (![payload.aud].flat().every((one) => one === audience))
          throw new FirmproofError('oidc-token-invalid', 'the ID token is for others too');
        return payload;
      } catch (error) {
        if (error instanceof errors.JOSEError)
          throw new FirmproofError('oidc-token-invalid', `the ID token does not hold: ${error.message}`, {
            cause: error,
          });
        throw error;
      }
    },
  };
}

async function discoverKeys(issuer: string): Promise<string> {
  const document = await fetchDocument(
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    discoverySchema,
  );
  // An issuer reached by TLS must not send on to keys that anybody on the way could replace.
  const isDowngrade = issuer.startsWith('https:') && !document.jwks_uri.startsWith('https:');
  if (document.issuer === issuer && !isDowngrade) return document.jwks_uri;
  throw new FirmproofError(
    'oidc-issuer-unreachable',
    `what ${redactUrl(issuer)} says about itself is about another issuer`,
  );
}

/** Bounded in size and time, and no redirects: the address is the operator's, what lies there is not. */
async function fetchDocument<Schema extends z.ZodType>(url: string, schema: Schema): Promise<z.output<Schema>> {
  const what = redactUrl(url);
  const unreachable = (why: string, cause?: unknown) =>
    new FirmproofError('oidc-issuer-unreachable', `${what} ${why}`, { cause });
  const chunks: Uint8Array[] = [];
  try {
    const signal = AbortSignal.timeout(fetchTimeoutMilliseconds);
    const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
    if (!response.ok) throw unreachable(`answers ${response.status}`);
    let sizeBytes = 0;
    for await (const chunk of response.body ?? []) {
      sizeBytes += chunk.length;
      if (sizeBytes > maximumDocumentBytes) throw unreachable(`sends more than ${maximumDocumentBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof FirmproofError ? cause : unreachable('cannot be fetched', cause);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return parseJson(text, schema, { code: 'oidc-issuer-unreachable', maximumBytes: maximumDocumentBytes, what });
}
