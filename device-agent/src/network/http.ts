import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type DeviceCode, FirmproofError, redactUrl } from '@firmproof/protocol';
import { isPrivateHost, privateAddressCode } from '@firmproof/protocol/node/private-host';
import { lookUpPublic } from './private-host.ts';
import { unreachableProxy } from './proxy.ts';
import { type Throttle, unlimited } from './token-bucket.ts';

/** What a fetch may cost at most. */
export type FetchLimits = {
  readonly maximumBytes: number;
  /** What more bytes than that mean. */
  readonly tooLargeCode: DeviceCode;
  readonly minimumBytesPerSecond: number;
  /** For the whole, without what the throttle waits. */
  readonly timeoutSeconds: number;
};

export type FetchOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Origins that the device's own files name; private addresses elsewhere are not asked (A27). */
  readonly ownOrigins: ReadonlySet<string>;
  readonly throttle?: Throttle;
  /** Told what is wrong with the certificates on the way, or null. The fetch goes on: TLS is privacy here, not trust. */
  readonly onCertificate?: (problem: string | null) => void;
};

export type FetchedBody = { readonly status: number; readonly etag: string | null; readonly bytes: Uint8Array };

/** Seconds without a byte, after which nobody is there any more. */
const silenceLimitSeconds = 30;
/** The first seconds are for getting started. */
const graceSeconds = 10;
const maximumRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * GETs a bounded body: never more bytes than allowed, never slower than the rate floor over the whole, never elsewhere than
 * a device may ask (docs/spec/device.md D43, D44, D46). Memory is the body.
 * @throws FirmproofError `unavailable`, `download-too-slow`, `redirect-refused`, `tooLargeCode` when the body is larger than allowed
 */
export async function fetchBounded(url: string, limits: FetchLimits, options: FetchOptions): Promise<FetchedBody> {
  const watch = new Watch(url, limits);
  try {
    const response = await followRedirects(new URL(url), options, watch);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      watch.received(chunk.length);
      watch.waited(await (options.throttle ?? unlimited)(chunk.length));
    }
    return { status: response.statusCode ?? 0, etag: response.headers.etag ?? null, bytes: Buffer.concat(chunks) };
  } catch (cause) {
    throw watch.explain(cause);
  } finally {
    watch.end();
  }
}

async function followRedirects(first: URL, options: FetchOptions, watch: Watch): Promise<IncomingMessage> {
  let url = first;
  let problem: string | null = null;
  for (let hop = 0; ; hop += 1) {
    requirePermitted(url, options.ownOrigins);
    const response = await get(url, options, watch.signal);
    watch.answered();
    problem ??= certificateProblemOf(response);
    if (url.protocol === 'https:') options.onCertificate?.(problem);
    const { location } = response.headers;
    if (!redirects.has(response.statusCode ?? 0) || location === undefined) return response;
    response.destroy();
    if (hop === maximumRedirects) throw refused(first, `leads on more than ${maximumRedirects} times`);
    url = nextUrl(url, location);
  }
}

const refused = (url: URL, why: string) => new FirmproofError('redirect-refused', `${redactUrl(url.href)} ${why}`);

function nextUrl(from: URL, location: string): URL {
  if (!URL.canParse(location, from)) throw refused(from, 'leads to something that is no address');
  const to = new URL(location, from);
  if (to.protocol !== 'https:' && to.protocol !== 'http:') throw refused(from, `leads to ${to.protocol}`);
  // Whoever listens on the way must not learn by a redirect what TLS hid.
  if (from.protocol === 'https:' && to.protocol === 'http:') throw refused(from, 'leads out of TLS');
  return to;
}

function requirePermitted(url: URL, ownOrigins: ReadonlySet<string>): void {
  if (isPrivateHost(url.hostname) && !ownOrigins.has(url.origin))
    throw refused(url, 'is a private address that this device does not name itself');
}

/** K3. node:http instead of fetch: 15 MB less memory, and redirects are the agent's to judge. */
function get(url: URL, options: FetchOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { get: open } = url.protocol === 'https:' ? https : http;
  const isOwn = options.ownOrigins.has(url.origin);
  const request = {
    headers: { ...options.headers },
    signal,
    rejectUnauthorized: false,
    ...(!isOwn && { lookup: lookUpPublic }),
  };
  return new Promise((resolve, reject) => {
    open(url, request, resolve).on('error', reject);
  });
}

function certificateProblemOf({ socket }: IncomingMessage): string | null {
  const { authorized, authorizationError } = socket as Partial<TLSSocket>;
  return authorized === false ? nameOf(authorizationError) : null;
}

const nameOf = (error: unknown): string => {
  const { code } = (typeof error === 'object' ? (error ?? {}) : {}) as { code?: unknown };
  return typeof code === 'string' ? code : String(error);
};

/** Keeps an eye on one fetch: silence, rate, size and time. */
class Watch {
  readonly #url: string;
  readonly #limits: FetchLimits;
  readonly #abort = new AbortController();
  readonly #started = performance.now();
  #timer: NodeJS.Timeout;
  #hasAnswered = false;
  #bytes = 0;
  #waitedSeconds = 0;

  constructor(url: string, limits: FetchLimits) {
    this.#url = redactUrl(url);
    this.#limits = limits;
    this.#timer = this.#afterSilence();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  answered(): void {
    this.#hasAnswered = true;
    this.#restart();
  }

  received(bytes: number): void {
    const { maximumBytes, tooLargeCode, minimumBytesPerSecond, timeoutSeconds } = this.#limits;
    clearTimeout(this.#timer);
    this.#bytes += bytes;
    if (this.#bytes > maximumBytes)
      throw new FirmproofError(tooLargeCode, `${this.#url} sends more than ${maximumBytes} bytes`);
    const seconds = (performance.now() - this.#started) / 1000 - this.#waitedSeconds;
    if (seconds > timeoutSeconds) throw this.#tooSlow('took too long');
    if (seconds > graceSeconds && this.#bytes / seconds < minimumBytesPerSecond)
      throw this.#tooSlow(`delivers ${Math.round(this.#bytes / seconds)} bytes a second`);
  }

  /** The device's own limit is not the source's fault. */
  waited(seconds: number): void {
    this.#waitedSeconds += seconds;
    this.#restart();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** What an error of the fetch means. */
  explain(cause: unknown): FirmproofError {
    if (cause instanceof FirmproofError) return cause;
    if (this.#abort.signal.aborted && this.#hasAnswered) return this.#tooSlow('fell silent');
    if (this.#abort.signal.aborted) return new FirmproofError('unavailable', `${this.#url} does not answer`, { cause });
    const name = nameOf(cause);
    if (name === privateAddressCode)
      return new FirmproofError('redirect-refused', `${this.#url} leads to a private address`, { cause });
    const proxy = unreachableProxy(new URL(this.#url), cause);
    if (proxy !== null)
      return new FirmproofError('unavailable', `${this.#url}: the proxy ${proxy} cannot be reached (${name})`, {
        cause,
      });
    const what = this.#hasAnswered ? 'breaks off' : 'cannot be reached';
    return new FirmproofError('unavailable', `${this.#url} ${what} (${name})`, { cause });
  }

  #tooSlow(how: string): FirmproofError {
    return new FirmproofError('download-too-slow', `${this.#url} ${how}`);
  }

  #restart(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#afterSilence();
  }

  #afterSilence(): NodeJS.Timeout {
    const seconds = Math.min(silenceLimitSeconds, this.#limits.timeoutSeconds);
    return setTimeout(() => this.#abort.abort(), seconds * 1000);
  }
}

export type PostAnswer = { readonly status: number; readonly text: string };

const maximumAnswerBytes = 65_536;

/**
 * POSTs JSON; null when nobody answers. No redirects: what is sent goes to the server named, or nowhere; and TLS must be in
 * order, since what is sent may name the device.
 */
export function postJson(
  url: string,
  body: string,
  timeoutSeconds: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<PostAnswer | null> {
  const own = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  const { request: open } = url.startsWith('https:') ? https : http;
  return new Promise((resolve) => {
    const sent = open(url, { method: 'POST', headers: { ...own, ...headers }, signal }, (response) => {
      const chunks: Buffer[] = [];
      let received = 0;
      const end = () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
        // The status says enough where the text goes on and on.
        if (received > maximumAnswerBytes) response.destroy();
        else chunks.push(chunk);
      });
      response.on('end', end);
      response.on('error', end);
      response.on('close', end);
    });
    sent.on('error', () => resolve(null));
    sent.end(body);
  });
}
