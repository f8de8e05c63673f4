import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { FirmproofError, maximumExcerptCharacters, type WebhookHeaders } from '@firmproof/protocol';
import { isPrivateHost, privateAddressCode, publicLookUp } from '@firmproof/protocol/node/private-host';

const timeoutMilliseconds = 10_000;
const maximumHeaderBytes = 8192;
/** Of an answer: the rest is not read. */
const maximumAnswerBytes = 4096;

/** What came of one attempt: an HTTP status, or why there was none. */
export type Answer =
  | { readonly status: number; readonly excerpt: string; readonly problem?: never }
  | { readonly problem: string; readonly status?: never };

export type SenderPolicy = {
  /** A development server: its receivers are on the same machine, and have no certificates. */
  readonly development: boolean;
  /** Hosts that the operator knows, which may have private addresses. */
  readonly privateHosts: readonly string[];
};

export type Sender = ReturnType<typeof createSender>;

/**
 * Sends webhooks to addresses that vendors have given, and never elsewhere: not into the operator's network (A27), by no
 * redirect, by no proxy. Every attempt is a connection of its own, to an address that was looked at.
 */
export function createSender({ development, privateHosts }: SenderPolicy, patience = timeoutMilliseconds) {
  const isExempt = (host: string) => development || privateHosts.includes(host.toLowerCase());
  const lookup = publicLookUp(isExempt);

  /** @throws FirmproofError `webhook-address-forbidden` */
  function requireAllowed(text: string): URL {
    const url = new URL(text);
    if (url.protocol !== 'https:' && !development)
      throw new FirmproofError('webhook-address-forbidden', 'this server sends webhooks over https only');
    if (isPrivateHost(url.hostname) && !isExempt(url.hostname))
      throw new FirmproofError('webhook-address-forbidden', `${url.hostname} is a private address`);
    return url;
  }

  return {
    requireAllowed,

    /** One attempt; it takes ten seconds at most, and reads no more than the beginning of the answer. Throws nothing. */
    async send(address: string, headers: WebhookHeaders, body: string): Promise<Answer> {
      try {
        const response = await post(
          requireAllowed(address),
          {
            lookup,
            signal: AbortSignal.timeout(patience),
            maxHeaderSize: maximumHeaderBytes,
            headers: {
              ...headers,
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(body),
              'user-agent': 'Firmproof-Webhook/1',
            },
          },
          body,
        );
        return { status: response.statusCode ?? 0, excerpt: await beginningOf(response) };
      } catch (error) {
        return { problem: problemOf(error) };
      }
    },
  };
}

function post(url: URL, options: RequestOptions, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // No agent: no connection is used twice, so that every one goes through the look-up; and no proxy of the environment.
    const send = url.protocol === 'https:' ? https.request : http.request;
    const request = send(url, { ...options, method: 'POST', agent: false });
    // Whatever else ends it, an upgrade for instance, ends the attempt too.
    request.on('close', () => reject(new Error('the connection was ended before an answer came')));
    request.on('response', resolve).on('error', reject).end(body);
  });
}

/** Printable characters only: it is shown in terminals. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes >= maximumAnswerBytes) break;
    }
  } catch {
    // The status has come, and counts.
  }
  response.destroy();
  const text = Buffer.concat(chunks).subarray(0, maximumAnswerBytes).toString('utf8');
  return text
    .replaceAll(/[^\P{C}\n]|\uFFFD/gu, '')
    .slice(0, maximumExcerptCharacters)
    .trim();
}

const problems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was ended before an answer came',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be looked up now',
  EHOSTUNREACH: 'the address cannot be reached',
  ENETUNREACH: 'the address cannot be reached',
  ETIMEDOUT: 'the address cannot be reached',
  HPE_HEADER_OVERFLOW: 'the headers of the answer are too large',
  [privateAddressCode]: 'the name leads to a private address, which this server does not call',
};

function problemOf(error: unknown): string {
  if (error instanceof FirmproofError) return error.message;
  if (!(error instanceof Error)) return 'unknown';
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'AbortError' || name === 'TimeoutError') return 'no answer in time';
  if (code !== undefined && problems[code]) return problems[code];
  return (code ?? message).replaceAll(/[^ -~]/g, '?').slice(0, 200);
}
