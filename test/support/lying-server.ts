import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

/** What somebody changes who owns the server, the gateway or the way between. Evidence is raw JSON: a liar keeps to no schema. */
export type Lie = {
  readonly evidence?: (document: EvidenceDocument) => unknown | Promise<unknown>;
  readonly block?: (bytes: Buffer, cid: string) => Buffer;
  /** Takes the whole answer into its own hands. Answers whether it has. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean;
};

// biome-ignore lint/suspicious/noExplicitAny: a forger edits whatever it likes.
export type EvidenceDocument = any;

const honest: Lie = {};

/** A server between the real one and the device that tells the truth, except for one lie. */
export class LyingServer {
  readonly url: string;
  lie: Lie = honest;
  /** Paths asked for, in order. */
  readonly requests: string[] = [];
  /** Told the status of each answer that comes from the real server. */
  onAnswer: (status: number) => void = () => undefined;
  readonly #server: Server;

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  static start(upstream: string, port = 0): Promise<LyingServer> {
    return new Promise((resolve, reject) => {
      const server = createServer((request, response) => {
        forward(upstream, liar, request, response).catch((error: unknown) => {
          if (!response.headersSent) response.writeHead(502);
          response.end(String(error));
        });
      });
      let liar: LyingServer;
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        liar = new LyingServer(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, server);
        resolve(liar);
      });
    });
  }

  /** Lies while `act` runs. */
  async lying<Result>(lie: Lie, act: () => Promise<Result>): Promise<Result> {
    this.lie = lie;
    try {
      return await act();
    } finally {
      this.lie = honest;
    }
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function forward(
  upstream: string,
  { lie, requests, onAnswer }: LyingServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url ?? '/';
  requests.push(path);
  if (lie.answer?.(request, response)) return;
  const isEvidence = path.endsWith('/evidence');
  const condition = request.headers['if-none-match'];
  const headers = condition && !lie.evidence ? { 'if-none-match': condition } : {};
  const { method = 'GET' } = request;
  const sent = method === 'GET' || method === 'HEAD' ? {} : { method, body: await buffer(request) };
  const type = request.headers['content-type'];
  const answer = await fetch(`${upstream}${path}`, {
    ...sent,
    headers: { ...headers, ...(type && { 'content-type': type }) },
  });
  onAnswer(answer.status);
  if (answer.body !== null && answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    // Events come as long as there are any: whoever waits for the end of them waits for people.
    response.writeHead(answer.status, { 'content-type': 'text/event-stream' }).flushHeaders();
    return pipeline(Readable.fromWeb(answer.body), response).catch(() => undefined);
  }
  let body = Buffer.from(await answer.arrayBuffer());
  const etag = isEvidence && lie.evidence ? null : answer.headers.get('etag');
  if (answer.status === 200 && isEvidence && lie.evidence) {
    const told = await lie.evidence(JSON.parse(body.toString()));
    body = Buffer.from(typeof told === 'string' ? told : JSON.stringify(told));
  }
  const cid = /^\/ipfs\/([^/?]+)/.exec(path)?.[1];
  if (answer.status === 200 && cid !== undefined && lie.block) body = Buffer.from(lie.block(body, cid));
  response
    .writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? 'application/octet-stream',
      ...(etag !== null && { etag }),
    })
    .end(body);
}

/** One bit of one byte. */
export function flipByte(bytes: Buffer, at = Math.floor(bytes.length / 2)): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** One digit of the last node: where the value stands. */
export function forgeProof(proof: readonly string[]): string[] {
  return proof.map((node, index) => {
    if (index < proof.length - 1) return node;
    const last = Number.parseInt(node.at(-1) ?? '0', 16);
    return `${node.slice(0, -1)}${(last ^ 1).toString(16)}`;
  });
}
