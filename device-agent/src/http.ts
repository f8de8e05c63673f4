import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { type DeviceCode, FirmproofError, redactUrl } from '@firmproof/protocol';

/** What a fetch may cost at most. */
export type FetchLimits = {
  readonly maximumBytes: number;
  /** What more bytes than that mean. */
  readonly tooLargeCode: DeviceCode;
  readonly minimumBytesPerSecond: number;
  readonly timeoutSeconds: number;
};

export type FetchedBody = { readonly status: number; readonly etag: string | null; readonly bytes: Uint8Array };

/**
 * GETs a bounded body: never more bytes than allowed, never slower than the rate floor over the whole, no redirects.
 * @throws FirmproofError `unavailable`, `download-too-slow`, `tooLargeCode` when the body is larger than allowed
 */
export async function fetchBounded(
  url: string,
  limits: FetchLimits,
  headers: Record<string, string> = {},
): Promise<FetchedBody> {
  const started = performance.now();
  const timeout = AbortSignal.timeout(limits.timeoutSeconds * 1000);
  try {
    const response = await request(url, { headers, signal: timeout });
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > limits.maximumBytes)
        throw new FirmproofError(limits.tooLargeCode, `${redactUrl(url)} sends more than ${limits.maximumBytes} bytes`);
      chunks.push(chunk);
      requireRate(url, received, (performance.now() - started) / 1000, limits.minimumBytesPerSecond);
    }
    return { status: response.statusCode ?? 0, etag: response.headers.etag ?? null, bytes: Buffer.concat(chunks) };
  } catch (cause) {
    if (cause instanceof FirmproofError) throw cause;
    if (timeout.aborted) throw new FirmproofError('download-too-slow', `${redactUrl(url)} took too long`, { cause });
    throw new FirmproofError('unavailable', `${redactUrl(url)} cannot be reached`, { cause });
  }
}

/** POSTs JSON; answers the status, null when nobody answers. No redirects: what is sent goes to the server named, or nowhere. */
export function postJson(url: string, body: string, timeoutSeconds: number): Promise<number | null> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  const { request: open } = url.startsWith('https:') ? https : http;
  return new Promise((resolve) => {
    const sent = open(url, { method: 'POST', headers, signal }, (response) => {
      // What it says beside the status is of no use here.
      response.destroy();
      resolve(response.statusCode ?? null);
    });
    sent.on('error', () => resolve(null));
    sent.end(body);
  });
}

/** node:http instead of fetch: 15 MB less memory, and it follows no redirects by itself. */
function request(url: string, options: RequestOptions): Promise<IncomingMessage> {
  const { get } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    get(url, options, resolve).on('error', reject);
  });
}

/** The first seconds are for getting started. */
const graceSeconds = 10;

function requireRate(url: string, received: number, seconds: number, minimumBytesPerSecond: number): void {
  if (seconds <= graceSeconds || received / seconds >= minimumBytesPerSecond) return;
  throw new FirmproofError(
    'download-too-slow',
    `${redactUrl(url)} delivers ${Math.round(received / seconds)} bytes a second`,
  );
}
