import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { sha256 } from '@firmproof/protocol';
import { expect } from 'vitest';
import { makeDevice, type TestDevice } from './device.ts';
import { LyingServer } from './lying-server.ts';
import { destroyStack, eventually, makeVendor, startStack, temporaryDirectory } from './stack.ts';

type Answer = { readonly etag: string | null; readonly body: Buffer };

/** An update that a real server once offered, offered again by one that only repeats itself: the chain is gone. */
export class RecordedRelease {
  readonly url: string;
  readonly #server: Server;
  /** A device that runs the image before and has proved the update. */
  readonly #device: TestDevice;
  readonly before: string;
  readonly after: string;

  private constructor(url: string, server: Server, device: TestDevice, before: string, after: string) {
    this.url = url;
    this.#server = server;
    this.#device = device;
    this.before = before;
    this.after = after;
  }

  static async record(before: Buffer, after: Buffer): Promise<RecordedRelease> {
    const stack = await startStack();
    const vendor = await makeVendor(stack);
    const liar = await LyingServer.start(stack.url);
    const offers = (device: TestDevice, version: string) =>
      eventually(
        async () => (await device.check()).verdict,
        (verdict) => verdict.outcome === 'update' && verdict.release.version === version,
        `${version} to be offered`,
      );
    const device = makeDevice(vendor.trustRoot, [liar.url]);
    await vendor.publish('1.0.0', before);
    await vendor.promote('1.0.0');
    await offers(device, '1.0.0');
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '1.0.0' });
    await vendor.publish('2.0.0', after, { rollbackIndex: 1 });
    await vendor.promote('2.0.0');
    await offers(device, '2.0.0');
    liar.requests.length = 0;
    const other = makeDevice(vendor.trustRoot, [liar.url]);
    expect(await other.install()).toMatchObject({ outcome: 'installed', version: '2.0.0' });
    other.destroy();
    const answers = new Map<string, Answer>();
    for (const path of new Set(liar.requests)) {
      const answer = await fetch(`${stack.url}${path}`);
      expect(answer.status, path).toBe(200);
      answers.set(path, { etag: answer.headers.get('etag'), body: Buffer.from(await answer.arrayBuffer()) });
    }
    await liar.stop();
    await destroyStack(stack);
    const { url, server } = await serve(answers);
    device.configure({ servers: [url] });
    return new RecordedRelease(url, server, device, sha256(before), sha256(after));
  }

  /** Another such device, in a new directory, with a changed configuration. */
  copyOfDevice(change: object = {}): string {
    const directory = temporaryDirectory();
    cpSync(this.#device.directory, directory, { recursive: true, verbatimSymlinks: true });
    const file = join(directory, 'agent.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }));
    return directory;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    rmSync(this.#device.directory, { recursive: true, force: true });
  }
}

function serve(answers: ReadonlyMap<string, Answer>): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const answer = answers.get(request.url ?? '');
    if (answer === undefined) response.writeHead(404).end();
    else response.writeHead(200, answer.etag === null ? {} : { etag: answer.etag }).end(answer.body);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, server });
    });
  });
}
