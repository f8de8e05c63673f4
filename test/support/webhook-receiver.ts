import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { verifyWebhook, type WebhookBody, type WebhookSecret, webhookBodySchema } from '@firmproof/protocol';

export type ReceivedWebhook = { readonly id: string; readonly body: WebhookBody; readonly signatures: number };
type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

const accept: Behaviour = (_request, response) => response.writeHead(204).end();

/** A receiver of webhooks as a vendor would write one: it verifies what comes before it believes it. */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  secrets: readonly WebhookSecret[] = [];
  behaviour: Behaviour = accept;
  #server: Server | undefined;
  #port = 0;

  /** On the port that it had before, if it had one. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#take(request, response));
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    const address = server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const header = (name: string) => String(request.headers[name] ?? '') || null;
    const id = verifyWebhook(
      {
        id: header('webhook-id'),
        timestamp: header('webhook-timestamp'),
        signature: header('webhook-signature'),
        body,
      },
      this.secrets,
      Date.now() / 1000,
    );
    const signatures = String(request.headers['webhook-signature']).split(' ').length;
    this.received.push({ id, body: webhookBodySchema.parse(JSON.parse(body)), signatures });
    this.behaviour(request, response);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook?key=not-for-the-log`;
  }

  get types(): readonly string[] {
    return this.received.map(({ body }) => body.type);
  }

  answer(status: number, content = ''): void {
    this.behaviour = (_request, response) => response.writeHead(status).end(content);
  }

  accept(): void {
    this.behaviour = accept;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }
}
