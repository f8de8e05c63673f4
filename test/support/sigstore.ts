import { createHash, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import {
  fulcioHandler,
  initializeCA,
  initializeCTLog,
  initializeTLog,
  initializeTSA,
  rekorHandler,
  tsaHandler,
} from '@sigstore/mock';
import type { Claims, OidcIssuer } from './oidc-issuer.ts';

type Handler = ReturnType<typeof fulcioHandler>;

/** The library that the mock makes certificates with. */
const require = createRequire(import.meta.url);
const mockX509: { readonly ExtendedKeyUsage: { codeSigning: string } } = createRequire(
  require.resolve('@sigstore/mock'),
)('@peculiar/x509');

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const base64 = (bytes: ArrayBufferView | Buffer) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
const hex = (algorithm: string, data: string | Buffer) => createHash(algorithm).update(data).digest('hex');

/** As Fulcio names who holds a token (docs/spec/release.md R8), written down once more. */
function subjectOf(claims: Claims): string {
  if (claims['job_workflow_ref']) return `https://github.com/${claims['job_workflow_ref']}`;
  return String(claims['email'] ?? claims['sub']);
}

/** What Rekor keeps of a proposed DSSE entry: hashes of envelope and payload, signature and certificate. */
function canonicalEntry(body: string): string {
  const { proposedContent } = JSON.parse(body).spec;
  const envelope = JSON.parse(proposedContent.envelope);
  const hash = (value: string) => ({ algorithm: 'sha256', value });
  return JSON.stringify({
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: hash(hex('sha256', proposedContent.envelope)),
      payloadHash: hash(hex('sha256', Buffer.from(envelope.payload, 'base64'))),
      signatures: [{ signature: envelope.signatures[0].sig, verifier: proposedContent.verifiers[0] }],
    },
  });
}

/**
 * A private Sigstore instance: Fulcio with a certificate log, Rekor and a timestamp authority of @sigstore/mock, behind real HTTP
 * so that other processes reach them. Fulcio verifies ID tokens of the issuer, as the real one does.
 */
export class SigstoreInstance {
  readonly url: string;
  /** The TrustedRoot, as a vendor gets it. */
  readonly trustedRoot: string;
  readonly #close: () => Promise<void>;
  readonly #fulcioMood: { offsetSeconds: number; logged: boolean };

  private constructor(
    url: string,
    trustedRoot: string,
    fulcioMood: { offsetSeconds: number; logged: boolean },
    close: () => Promise<void>,
  ) {
    this.url = url;
    this.trustedRoot = trustedRoot;
    this.#fulcioMood = fulcioMood;
    this.#close = close;
  }

  /** What Fulcio issues meanwhile is valid around another time. */
  async issuingAt<Result>(offsetSeconds: number, act: () => Promise<Result>): Promise<Result> {
    this.#fulcioMood.offsetSeconds = offsetSeconds;
    try {
      return await act();
    } finally {
      this.#fulcioMood.offsetSeconds = 0;
    }
  }

  /** What Fulcio issues meanwhile is in no certificate log. */
  async issuingUnlogged<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#fulcioMood.logged = false;
    try {
      return await act();
    } finally {
      this.#fulcioMood.logged = true;
    }
  }

  /** What Fulcio issues meanwhile is for another purpose than signing code. */
  async issuingFor<Result>(usage: string, act: () => Promise<Result>): Promise<Result> {
    const { codeSigning } = mockX509.ExtendedKeyUsage;
    mockX509.ExtendedKeyUsage.codeSigning = usage;
    try {
      return await act();
    } finally {
      mockX509.ExtendedKeyUsage.codeSigning = codeSigning;
    }
  }

  static async start(...issuers: readonly OidcIssuer[]): Promise<SigstoreInstance> {
    const handlers = new Map<string, Handler['fn']>();
    const server = createServer((request, response) => {
      answer(handlers.get(request.url ?? ''), request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    const fulcioMood = { offsetSeconds: 0, logged: true };
    const fulcioNow = new Date();
    const ctLog = await initializeCTLog(p256(), fulcioNow);
    const caKeys = p256();
    const ca = await initializeCA(caKeys, ctLog, fulcioNow);
    const unloggedCa = await initializeCA(caKeys, undefined, fulcioNow);
    const log = await initializeTLog(url, p256());
    // Real authorities stamp whole seconds, and Sigstore's reader wants no fraction or one of three digits.
    const second = new Date();
    const tsa = await initializeTSA(p256(), second);
    const stamp = tsaHandler(tsa);
    const fulcio = fulcioHandler(ca, { subjectClaim: 'identity' });
    const unlogged = fulcioHandler(unloggedCa, { subjectClaim: 'identity' });
    const rekor = rekorHandler(log);
    handlers.set(fulcio.path, (body) => {
      fulcioNow.setTime(Date.now() + fulcioMood.offsetSeconds * 1000);
      return (fulcioMood.logged ? fulcio : unlogged).fn(verified(body, issuers));
    });
    handlers.set(rekor.path, (body) => rekor.fn(canonicalEntry(body)));
    handlers.set(stamp.path, (body) => {
      second.setTime(Math.floor(Date.now() / 1000) * 1000);
      return stamp.fn(body);
    });

    const start = '2020-01-01T00:00:00Z';
    const logOf = (baseUrl: string, publicKey: Buffer) => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: base64(publicKey),
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        validFor: { start },
      },
      logId: { keyId: createHash('sha256').update(publicKey).digest('base64') },
    });
    const authorityOf = (...certificates: readonly ArrayBufferView[]) => ({
      subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
      uri: url,
      certChain: { certificates: certificates.map((certificate) => ({ rawBytes: base64(certificate) })) },
      validFor: { start },
    });
    const trustedRoot = {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logOf(url, log.publicKey)],
      certificateAuthorities: [authorityOf(ca.rootCertificate)],
      ctlogs: [logOf(url, ctLog.publicKey)],
      timestampAuthorities: [authorityOf(tsa.intCertificate, tsa.rootCertificate)],
    };
    return new SigstoreInstance(url, `${JSON.stringify(trustedRoot, null, 2)}\n`, fulcioMood, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  }

  /** The options of `firmproof publish --keyless` that lead here. */
  get environment(): Record<string, string> {
    return {
      FIRMPROOF_FULCIO_URL: this.url,
      FIRMPROOF_REKOR_URL: this.url,
      FIRMPROOF_TIMESTAMP_URL: this.url,
    };
  }

  /** The same for the SDK. */
  get services() {
    return { fulcioUrl: this.url, rekorUrl: this.url, timestampUrl: this.url };
  }

  stop(): Promise<void> {
    return this.#close();
  }
}

/** Real Fulcio verifies the token; the mock decodes it only. */
function verified(body: string, issuers: readonly OidcIssuer[]): string {
  const request = JSON.parse(body);
  const token = request.credentials.oidcIdentityToken;
  const claims = issuers.map((issuer) => issuer.claimsOf(token, 'sigstore')).find((found) => found !== null);
  if (!claims) return '{}';
  const payload = Buffer.from(JSON.stringify({ ...claims, identity: subjectOf(claims) })).toString('base64url');
  return JSON.stringify({ ...request, credentials: { oidcIdentityToken: `e30.${payload}.` } });
}

async function answer(handle: Handler['fn'] | undefined, request: IncomingMessage, response: ServerResponse) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  if (!handle) return response.writeHead(404).end();
  const { statusCode, contentType, response: content } = await handle(body);
  response.writeHead(statusCode, { 'content-type': contentType ?? 'text/plain' });
  return response.end(typeof content === 'string' ? content : Buffer.from(base64(content), 'base64'));
}
