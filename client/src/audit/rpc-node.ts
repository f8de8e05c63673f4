import { setTimeout as pause } from 'node:timers/promises';
import { FirmproofError } from '@firmproof/protocol';
import { RpcRefusal } from '@firmproof/protocol/node';
import { z } from 'zod';

export type RpcCall = { readonly method: string; readonly params: readonly unknown[] };
/** What the node says to one call: a value of which nothing is believed yet, or a refusal of its own. */
export type RpcAnswer = { readonly result: unknown } | { readonly refusal: RpcRefusal };

/** Whatever is longer than any honest message is cut before anything looks through it. */
const messageSchema = z.string().transform((text) => text.slice(0, longestMessage));
const longestMessage = 500;
const answerSchema = z.object({
  id: z.number().nullish(),
  result: z.unknown().optional(),
  error: z.object({ code: z.number().optional(), message: messageSchema.optional() }).nullish(),
});
type RawAnswer = z.infer<typeof answerSchema>;

const requestTimeoutMilliseconds = 15_000;
const maximumAnswerBytes = 32 * 1024 * 1024;
const attempts = 7;
const firstPauseMilliseconds = 250;
const longestPauseMilliseconds = 20_000;
const largestBatch = 50;
/** Where a node takes no batches, so many requests are on their way at once. */
const atOnce = 4;

const isBusy = (status: number) => status === 429 || status === 502 || status === 503 || status === 504;
/** Providers say in many words that they have had enough for the moment. */
const isLimit = ({ code, message = '' }: { code?: number | undefined; message?: string | undefined }) =>
  code === -32005 ||
  code === 429 ||
  /rate.?limit|too many requests|limit exceeded|exceeded.*(?:capacity|second)/i.test(message);
const refusesBatches = (status: number) =>
  status === 400 || status === 403 || status === 405 || status === 413 || status === 422;

class Busy extends Error {
  readonly afterMilliseconds: number | null;
  constructor(afterMilliseconds: number | null) {
    super('busy');
    this.afterMilliseconds = afterMilliseconds;
  }
}

/**
 * One RPC node that an audit asks. It adapts to what the provider allows: batches where there are any, waiting where there is a
 * limit. Its address may hold a key, so that nothing but `label` (its place on the command line and its host) ever shows (A40).
 */
export class RpcNode {
  readonly label: string;
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #timeout: number;
  #takesBatches = true;
  #id = 0;

  /** @param url http(s); user and password in it are sent as Basic credentials */
  constructor(url: string, place: number, timeoutMilliseconds = requestTimeoutMilliseconds) {
    const parsed = new URL(url);
    this.label = `node ${place} (${parsed.host})`;
    const { username, password } = parsed;
    this.#headers = { 'content-type': 'application/json' };
    if (username !== '' || password !== '') {
      const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.#headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
      parsed.username = '';
      parsed.password = '';
    }
    this.#url = parsed.href;
    this.#timeout = timeoutMilliseconds;
  }

  /**
   * @param tries how often a node that has had enough, or does not answer, is asked
   * @throws FirmproofError `chain-unreachable`; RpcRefusal
   */
  async call(method: string, params: readonly unknown[], tries = attempts): Promise<unknown> {
    const [answer] = await this.batch([{ method, params }], tries);
    if (answer === undefined) throw this.#unreachable();
    if ('refusal' in answer) throw answer.refusal;
    return answer.result;
  }

  /** All calls in as few requests as the node allows; answers in the same order. @throws FirmproofError `chain-unreachable` */
  async batch(calls: readonly RpcCall[], tries = attempts): Promise<readonly RpcAnswer[]> {
    const answers: RpcAnswer[] = [];
    while (answers.length < calls.length) {
      const rest = calls.slice(answers.length, answers.length + (this.#takesBatches ? largestBatch : atOnce));
      if (rest.length > 1 && this.#takesBatches) {
        const together = await this.#persist(() => this.#together(rest), tries);
        if (together === null) this.#takesBatches = false;
        else answers.push(...together);
      } else answers.push(...(await Promise.all(rest.map((call) => this.#persist(() => this.#alone(call), tries)))));
    }
    return answers;
  }

  /** Tries again where the node is busy or gone, with pauses that grow. */
  async #persist<Result>(ask: () => Promise<Result>, tries: number): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await ask();
      } catch (error) {
        if (attempt >= tries) throw error instanceof Busy ? this.#unreachable('has had too many requests') : error;
        if (!(error instanceof Busy) && !(error instanceof FirmproofError)) throw error;
        const growing = firstPauseMilliseconds * 2 ** (attempt - 1) * (0.5 + Math.random());
        const asked = error instanceof Busy ? (error.afterMilliseconds ?? 0) : 0;
        await pause(Math.min(longestPauseMilliseconds, Math.max(growing, asked)));
      }
    }
  }

  async #alone(call: RpcCall): Promise<RpcAnswer> {
    const parsed = answerSchema.safeParse(await this.#send(this.#request(call)));
    if (!parsed.success) throw this.#unreachable('answers with something else than JSON-RPC');
    return understood(parsed.data);
  }

  /** null where the node takes no batches. */
  async #together(calls: readonly RpcCall[]): Promise<readonly RpcAnswer[] | null> {
    const requests = calls.map((call) => this.#request(call));
    const answer = await this.#send(requests);
    if (answer === null) return null;
    if (!Array.isArray(answer)) {
      const single = answerSchema.safeParse(answer);
      if (single.success && single.data.error && isLimit(single.data.error)) throw new Busy(null);
      return null;
    }
    const parsed = z.array(answerSchema).safeParse(answer);
    if (!parsed.success) return null;
    const byId = new Map(parsed.data.map((one) => [one.id, one]));
    const inOrder = requests.map(({ id }) => byId.get(id));
    if (inOrder.some((one) => one === undefined)) return null;
    return inOrder.map((one) => understood(one as RawAnswer));
  }

  #request({ method, params }: RpcCall) {
    this.#id += 1;
    return { jsonrpc: '2.0', id: this.#id, method, params };
  }

  /** null where a batch is refused as such. */
  async #send(body: object): Promise<unknown> {
    let text: string;
    // Not AbortSignal.timeout: that keeps each of a hundred thousand requests in memory until its time is over.
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), this.#timeout);
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify(body),
        redirect: 'error',
        signal: stop.signal,
      });
      if (isBusy(response.status)) {
        await response.body?.cancel();
        const after = Number(response.headers.get('retry-after'));
        throw new Busy(Number.isFinite(after) && after > 0 ? after * 1000 : null);
      }
      if (Array.isArray(body) && refusesBatches(response.status)) {
        await response.body?.cancel();
        return null;
      }
      text = await boundedText(response);
    } catch (error) {
      if (error instanceof Busy) throw error;
      throw this.#unreachable();
    } finally {
      clearTimeout(timer);
    }
    try {
      return JSON.parse(text);
    } catch {
      throw this.#unreachable('answers with something else than JSON');
    }
  }

  /** Without a cause: that of `fetch` may name the address. */
  #unreachable(why = 'does not answer'): FirmproofError {
    return new FirmproofError('chain-unreachable', `${this.label} ${why}`);
  }
}

function understood({ result, error }: RawAnswer): RpcAnswer {
  if (!error) return { result: result ?? null };
  if (isLimit(error)) throw new Busy(null);
  return { refusal: new RpcRefusal(printable(error.message ?? 'refused'), undefined) };
}

const shownCharacters = 200;

/** A node's own words, without what would move a terminal's cursor. An address in them could hold a key (A40). */
const printable = (text: string) =>
  text
    .slice(0, shownCharacters)
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/\bhttps?:\/\/\S+/gi, '(address)');

/** @throws Error where there is more of it than any honest answer has */
async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maximumAnswerBytes) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
