// `node bench/audit-pages.ts [RELEASES]`: how long a real browser takes from opening a product to the verdict, the first time and the
// second, and until a search has its results. Ten entries a release; the history comes from bench/long-history.ts.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseAddress, parseProductId } from '@firmproof/protocol';
import { entryOfLog, type RpcLog } from '@firmproof/protocol/audit';
import { buildPages, startBrowser } from '../test/support/browser.ts';
import { figure } from './figure.ts';

const releases = Number(process.argv[2] ?? 10_000);
const entries = 1 + 10 * releases;
const entriesAPage = 1000;

const chain = spawn(process.execPath, ['bench/long-history.ts', String(entries)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const firstLine = await new Promise<string>((resolve) => createInterface(chain.stdout).once('line', resolve));
const { url: rpc, registry, product, chainId } = JSON.parse(firstLine);
const place = { registry: parseAddress(registry), product: parseProductId(product) };

async function ask(calls: unknown): Promise<unknown> {
  return (await fetch(rpc, { method: 'POST', body: JSON.stringify(calls) })).json();
}

/** Answers as a server gives them, made before anything is measured. */
async function historyPage(after: number): Promise<string> {
  const count = Math.min(entriesAPage, entries - after);
  const calls = Array.from({ length: count }, (_, index) => {
    const block = `0x${(100 + 2 * (after + index + 1)).toString(16)}`;
    return { id: index, method: 'eth_getLogs', params: [{ fromBlock: block, toBlock: block }] };
  });
  const answers = (await ask(calls)) as { result: RpcLog[] }[];
  const items = answers.flatMap(({ result: [log] }) => (log ? [entryOfLog(log, place)] : []));
  return JSON.stringify({ items });
}
const pagesOfHistory = new Map<number, string>();
for (let after = 0; after < entries; after += entriesAPage) pagesOfHistory.set(after, await historyPage(after));

const files = await buildPages('--pages', 'audit');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Of the rest of the API nothing is needed: the node vouches, the pages replay. */
const notHere = { type: 'about:blank', title: 'none', status: 404, detail: 'not here', code: 'not-found', hint: '' };

function serve({ pathname, searchParams }: URL, response: ServerResponse): void {
  const json = (status: number, body: string) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  const file = join(files, pathname === '/' ? 'index.html' : pathname);
  if (pathname === '/config.json') json(200, JSON.stringify({ rpcUrls: [`${origin}/rpc`], chainId, registry }));
  else if (pathname.endsWith('/history'))
    json(200, pagesOfHistory.get(Number(searchParams.get('after'))) ?? JSON.stringify({ items: [] }));
  else if (existsSync(file)) response.writeHead(200, { 'content-type': types[extname(file)] }).end(readFileSync(file));
  else json(404, JSON.stringify(notHere));
}

/** The node, with a final block of just now: the made-up one is years old. */
async function relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const call = JSON.parse(Buffer.concat(chunks).toString());
  const answer = (await ask(call)) as { result: { timestamp?: string } };
  if (call.method === 'eth_getBlockByNumber') answer.result.timestamp = `0x${Math.floor(begun / 1000).toString(16)}`;
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

const begun = Date.now();
let origin = '';
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', origin);
  if (url.pathname === '/rpc') relay(request, response).catch((error: unknown) => response.destroy(error as Error));
  else serve(url, response);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
origin = `http://localhost:${typeof address === 'object' && address ? address.port : 0}`;

const browser = await startBrowser();
const page = await browser.newPage();
page.setDefaultTimeout(120_000);
process.once('exit', () => chain.kill());

/** Milliseconds until what a person waits for is there. */
async function timed(act: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await act();
  return Math.round(performance.now() - before);
}
const visit = async () => {
  await page.goto('about:blank');
  await page.goto(`${origin}/#/product/${product}`);
  await page.getByText('The history is complete, and vouched for').waitFor();
};
const firstVisit = await timed(visit);
// What was verified is kept while the page is looked at already.
const countKept = `new Promise((resolve) => {
  const open = indexedDB.open('firmproof-audit');
  open.onsuccess = () => {
    const count = open.result.transaction('entries').objectStore('entries').count();
    count.onsuccess = () => resolve(count.result);
  };
})`;
while (((await page.evaluate(countKept)) as number) < Math.ceil(entries / entriesAPage))
  await new Promise((resolve) => setTimeout(resolve, 100));
const secondVisit = await timed(visit);
const search = await timed(async () => {
  await page.getByLabel('Search').fill('#2');
  await page.getByText(`1 of ${entries.toLocaleString('en')} entries`).waitFor();
});
const of = { releases, entries };
figure('audit-pages.first-visit', firstVisit / 1000, 's', of);
figure('audit-pages.second-visit', secondVisit / 1000, 's', of);
figure('audit-pages.search', search / 1000, 's', of);
await browser.close();
server.closeAllConnections();
server.close();
chain.kill();
