import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { createServer as createTls } from 'node:tls';
import { verifyWebhook, type WebhookSecret } from '@firmproof/protocol';
import { SMTPServer } from 'smtp-server';

const portOf = (server: { address(): AddressInfo | string | null }): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
};

type Body = {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: as a receiver sees it, who has no schema.
  readonly data: any;
};
export type ReceivedWebhook = { readonly id: string; readonly signature: string; readonly body: Body };

/** Somebody's end of a webhook: refuses what is not signed, and says to whoever asks what has come. */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  /** Taken over by a test: what to answer instead of 204. */
  onMessage: (message: ReceivedWebhook, response: ServerResponse) => boolean | Promise<boolean> = () => false;
  readonly #server = createHttp();
  #secrets: readonly WebhookSecret[] = [];

  static async start(secrets: readonly WebhookSecret[], port = 0): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    receiver.#secrets = secrets;
    receiver.#server.on('request', (request, response) => void receiver.#take(request, response));
    receiver.#server.listen(port, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const header = (name: string) => String(request.headers[name] ?? '') || null;
    const [id, timestamp, signature] = [header('webhook-id'), header('webhook-timestamp'), header('webhook-signature')];
    const body = await text(request).catch(() => '');
    try {
      verifyWebhook({ id, timestamp, signature, body }, this.#secrets, Math.floor(Date.now() / 1000));
    } catch {
      response.writeHead(401).end();
      return;
    }
    const message = { id: id ?? '', signature: signature ?? '', body: JSON.parse(body) as Body };
    this.received.push(message);
    if (!(await this.onMessage(message, response))) response.writeHead(204).end();
  }

  get port(): number {
    return portOf(this.#server);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/alerts/path-that-is-secret`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

type ReceivedMail = { readonly to: readonly string[]; readonly user: string | null; readonly content: string };

/** A real mail server that keeps what it is given. */
export async function startMailServer(options: {
  readonly certificate: { readonly key: string; readonly cert: string };
  readonly secure?: boolean;
  readonly login?: { readonly user: string; readonly password: string };
}) {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    ...options.certificate,
    secure: options.secure ?? false,
    authOptional: options.login === undefined,
    onAuth: ({ username, password }, _session, done) => {
      const fits = username === options.login?.user && password === options.login?.password;
      done(fits ? null : new Error('no'), { user: username ?? '' });
    },
    onData: (stream, session, done) => {
      void text(stream).then((content) => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, user: session.user === undefined ? null : String(session.user), content });
        done();
      });
    },
  });
  // A client that does not like the certificate says so.
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return { mails, port: portOf(listening), stop: () => new Promise<void>((resolve) => void server.close(resolve)) };
}

/** Syslog over UDP, TCP or TLS: what comes, as it comes. */
export async function startSyslog(
  protocol: 'udp' | 'tcp' | 'tls',
  certificate?: { readonly key: string; readonly cert: string },
) {
  const lines: string[] = [];
  let told: () => void = () => undefined;
  const take = (line: string) => {
    lines.push(line);
    told();
  };
  const next = async (count: number) => {
    while (lines.length < count)
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    return lines;
  };
  if (protocol === 'udp') {
    const socket = createSocket('udp4').on('message', (bytes) => take(bytes.toString()));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return { lines, next, port: socket.address().port, stop: async () => void socket.close() };
  }
  const onConnection = async (socket: AsyncIterable<Buffer>) => {
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    // Octet counting of RFC 6587.
    let rest = Buffer.concat(chunks);
    while (rest.length > 0) {
      const space = rest.indexOf(0x20);
      const length = Number(rest.subarray(0, space).toString());
      take(rest.subarray(space + 1, space + 1 + length).toString());
      rest = rest.subarray(space + 1 + length);
    }
  };
  const server: Server =
    protocol === 'tcp'
      ? createTcp((socket) => void onConnection(socket).catch(() => undefined))
      : createTls({ ...certificate }, (socket) => void onConnection(socket).catch(() => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { lines, next, port: portOf(server), stop: async () => void server.close() };
}
