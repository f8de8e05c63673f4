import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

type Call = { readonly method: string; readonly params: readonly unknown[]; readonly id: number };

/** A wire to an RPC node that can be cut, and that can lie about single answers. */
export class RpcProxy {
  readonly url: string;
  cut = false;
  /** Changes the node's answer to a call. */
  lie: (call: Call, result: unknown) => unknown = (_, result) => result;
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
        else void forward(request, response);
      });
      const forward = async (request: IncomingMessage, response: ServerResponse) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        const body = Buffer.concat(chunks);
        try {
          const answer = await fetch(upstream, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body,
          });
          const reply = (await answer.json()) as { result?: unknown };
          if ('result' in reply) reply.result = proxy.lie(JSON.parse(body.toString()), reply.result);
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
        } catch {
          request.socket.destroy();
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

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
