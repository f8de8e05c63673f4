import { request as forward } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSigned } from './tls.ts';

export type TlsFront = { readonly url: string; stop(): Promise<void> };

/** A server by TLS in front of one without, whose certificate ran out long ago and was never signed by anybody. */
export async function startExpiredTls(upstream: string): Promise<TlsFront> {
  const server = createServer(await selfSigned('2001-01-01', '2002-01-01'), (request, response) => {
    const { method, headers, url } = request;
    const onward = forward(`${upstream}${url}`, { method, headers: { ...headers, host: new URL(upstream).host } });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
