import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

type Call = { readonly method: string; readonly params: readonly unknown[]; readonly id: number };
type Reply = { readonly id?: number; result?: unknown };
/** What a provider answers instead of passing on. */
export type Refusal = { readonly status: number; readonly body?: string };

/** A wire to an RPC node that can be cut, that can hang, that has a provider's limits, and that can lie about single answers. */
export class RpcProxy {
  readonly url: string;
  cut = false;
  /** Takes requests and never answers. */
  hangs = false;
  /** Changes the node's answer to a call. */
  lie: (call: Call, result: unknown) => unknown = (_, result) => result;
  /** A provider's limits: asked before a request is passed on; null lets it through. */
  limit: (calls: readonly Call[], isBatch: boolean) => Refusal | null = () => null;
  /** Calls that were passed on. */
  calls = 0;
  readonly #server: Server;

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  static start(upstream: string): Promise<RpcProxy> {
    return new Promise((resolve) => {
      const server = createServer((request, response) => {
        // As nodes do that pages may ask.
        response
          .setHeader('access-control-allow-origin', '*')
          .setHeader('access-control-allow-headers', 'content-type');
        if (request.method === 'OPTIONS') response.writeHead(204).end();
        else if (proxy.cut) request.socket.destroy();
        else if (!proxy.hangs) void forward(request, response);
      });
      const forward = async (request: IncomingMessage, response: ServerResponse) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        const body = Buffer.concat(chunks);
        try {
          const asked: Call | Call[] = JSON.parse(body.toString());
          const calls = Array.isArray(asked) ? asked : [asked];
          const refusal = proxy.limit(calls, Array.isArray(asked));
          if (refusal) return response.writeHead(refusal.status).end(refusal.body);
          proxy.calls += calls.length;
          const answer = await fetch(upstream, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body,
          });
          const reply = (await answer.json()) as Reply | Reply[];
          for (const one of Array.isArray(reply) ? reply : [reply]) {
            const call = calls.find(({ id }) => id === one.id);
            if (call && 'result' in one) one.result = proxy.lie(call, one.result);
          }
          return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
        } catch {
          return request.socket.destroy();
        }
      };
      let proxy: RpcProxy;
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        proxy = new RpcProxy(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, server);
        resolve(proxy);
      });
    });
  }

  /** As at the start: passes everything on. */
  honest(): void {
    this.cut = false;
    this.hangs = false;
    this.lie = (_, result) => result;
    this.limit = () => null;
    this.calls = 0;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
