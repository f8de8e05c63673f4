import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registryInterface } from '@firmproof/contracts';
import type { ActionMessage } from '@firmproof/protocol';
import { parseAttestation } from '@firmproof/protocol';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AuditedProduct, makeAuditedProduct } from '../support/audited-product.ts';
import { buildPages, Person, startBrowser } from '../support/browser.ts';
import { forgeProof, type Lie, LyingServer } from '../support/lying-server.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import { destroyStack, type Stack, startStack } from '../support/stack.ts';
import { approveAction, mixedTeam } from '../support/team.ts';
import { makeTeam, type TeamVendor } from '../support/team-vendor.ts';

// biome-ignore lint/suspicious/noExplicitAny: a liar keeps to no schema.
type Answer = any;

let stack: Stack;
let liar: LyingServer;
let nodes: readonly RpcProxy[];
let browser: Browser;
let person: Person;
let audited: AuditedProduct;
let other: TeamVendor;
let url: string;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_PAGES: await buildPages('--pages', 'audit') });
  const rpc = stack.info.rpcUrl ?? '';
  [liar, nodes, browser, audited, other] = await Promise.all([
    LyingServer.start(stack.url),
    Promise.all([RpcProxy.start(rpc), RpcProxy.start(rpc)]),
    startBrowser(),
    makeAuditedProduct(stack),
    makeTeam(stack, { name: 'other-hub' }),
  ]);
  url = liar.url.replace('127.0.0.1', 'localhost');
  person = await Person.sitDown(browser, [url, ...nodes.map((node) => node.url)]);
  person.page.setDefaultTimeout(30_000);
});
afterAll(async () => {
  expect(person?.offences).toEqual([]);
  await browser?.close();
  await liar?.stop();
  await Promise.all((nodes ?? []).map((node) => node.stop()));
  await destroyStack(stack);
});

/** A visitor who believes the witnesses of the trust root, or nodes, or nobody. */
async function believing(whom: {
  witnesses?: boolean;
  rpcUrls?: readonly string[];
  rpcQuorum?: number;
}): Promise<void> {
  const { witnesses = false, ...rest } = whom;
  const trustRoots = witnesses ? [JSON.stringify(audited.team.trustRoot.envelope)] : [];
  await person.page.goto(`${url}/config.json`);
  await person.page.evaluate(
    (own) => localStorage.setItem('firmproof.audit', own),
    JSON.stringify({ ...rest, trustRoots }),
  );
  await person.page.evaluate("indexedDB.deleteDatabase('firmproof-audit')");
}
beforeEach(() => believing({ witnesses: true }));

/** Changes what the server answers at a path. */
function changing(path: string, change: (answer: Answer) => unknown): Lie {
  return {
    answer(request, response) {
      if (request.url?.split('?')[0] !== path) return false;
      fetch(`${stack.url}${request.url}`)
        .then((answer) => answer.text())
        .then((text) => change(text.startsWith('{') ? JSON.parse(text) : text))
        .then((told) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(typeof told === 'string' ? told : JSON.stringify(told));
        })
        .catch((error: unknown) => response.destroy(error as Error));
      return true;
    },
  };
}

const apiOf = (rest = '') => `/v1/products/${audited.team.product}${rest}`;
const verdict = () => person.page.locator('.verdict');
const open = (rest = '') => person.page.goto(`${url}/#/product/${audited.team.product}${rest}`);

/** The page must be red, with this code or these words. */
async function expectRed(...reasons: readonly string[]): Promise<void> {
  await verdict().getByText('Do not rely on this: something here is not true').waitFor();
  expect(await verdict().getAttribute('role')).toBe('alert');
  const text = await verdict().textContent();
  for (const reason of reasons) expect(text).toContain(reason);
}

/** One digit of the image digest in the data of an entry. */
function changed(entry: Answer): Answer {
  const { data } = entry;
  return { ...entry, data: `${data.slice(0, 10)}${data[10] === '0' ? '1' : '0'}${data.slice(11)}` };
}

/** What the statement of a release names. */
async function documentsOf(version: string) {
  const text = await (await fetch(`${stack.url}${apiOf(`/releases/${version}/attestation`)}`)).text();
  const { documents = [] } = parseAttestation(text).statement.predicate;
  return { documents };
}

const isRelease = (items: readonly Answer[]) => items.findIndex(({ sequence }) => sequence === 4);

describe('a server that lies about the history', () => {
  const lies: readonly (readonly [
    what: string,
    path: string,
    change: (answer: Answer) => unknown,
    code: string,
    text: string,
  ])[] = [
    [
      'omits a release',
      '/history',
      (answer) => ({
        ...answer,
        items: answer.items.filter((_: Answer, index: number) => index !== isRelease(answer.items)),
      }),
      'history-incomplete',
      'entry 4 is missing',
    ],
    [
      'omits what came last',
      '/history',
      ({ items, ...rest }) => ({ ...rest, items: items.filter(({ sequence }: Answer) => sequence < 8) }),
      'history-incomplete',
      'entry 8 is missing',
    ],
    [
      'changes an entry',
      '/history',
      (answer) => ({
        ...answer,
        items: answer.items.map((entry: Answer) => (entry.sequence === 4 ? changed(entry) : entry)),
      }),
      'history-differs',
      'some entry from 1 to',
    ],
    [
      "gives another product's history",
      '/history',
      () => fetch(`${stack.url}/v1/products/${other.product}/history`).then((answer) => answer.json()),
      'history-differs',
      'entries of another product',
    ],
    [
      'gives a forged proof',
      '/proof',
      (answer) => ({ ...answer, product: { ...answer.product, history: forgeProof(answer.product.history) } }),
      'storage-proof-invalid',
      "The server's proof is false",
    ],
    [
      'gives another block with the same signatures',
      '/proof',
      (answer) => ({ ...answer, block: { ...answer.block, stateRoot: `0x${'7'.repeat(64)}` } }),
      'account-proof-invalid',
      "The server's proof is false",
    ],
    [
      'has another head in its summary',
      '',
      (answer) => ({
        ...answer,
        channels: answer.channels.map((channel: Answer) => ({ ...channel, halted: false })),
      }),
      'server-disagrees',
      'the channel stable',
    ],
  ];

  test.each(lies)('and %s is found out', async (_what, path, change, code, text) => {
    await liar.lying(changing(apiOf(path), change), async () => {
      await open();
      await expectRed(code, text);
    });
  });

  test('is found out where nobody else vouches, too, as long as its own proof is true', async () => {
    await believing({});
    const [, , change] = lies[2] ?? [];
    await liar.lying(changing(apiOf('/history'), change ?? ((answer) => answer)), async () => {
      await open();
      await expectRed('history-differs', "in the server's own proof");
    });
  });

  test('and is honest again is believed again: nothing false was kept', async () => {
    await open();
    await verdict().getByText('The history is complete, and vouched for').waitFor();
  });

  test('and withholds its cosignatures is not green', async () => {
    const withheld = changing(apiOf('/proof'), (answer) => ({ ...answer, cosignatures: [] }));
    await liar.lying(withheld, async () => {
      await open();
      await verdict().getByText('0 of 2 needed witnesses').waitFor();
      expect(await verdict().getAttribute('class')).toBe('verdict warn');
    });
  });
});

describe('a server that lies about a release', () => {
  test('and gives another attestation is found out', async () => {
    const attestation = await (await fetch(`${stack.url}${apiOf('/releases/1.0.0/attestation')}`)).text();
    await liar.lying(
      changing(apiOf('/releases/1.1.0/attestation'), () => attestation),
      async () => {
        await open('/release/1.1.0');
        await expectRed('Attestation.', 'The server gives another one');
      },
    );
  });

  test('and gives another document than was signed for is found out', async () => {
    const { documents } = await documentsOf('1.1.0');
    const lie = changing(apiOf(`/documents/${documents[0]?.digest}`), () => '"# Nothing is new"');
    await liar.lying(lie, async () => {
      await open('/release/1.1.0');
      await expectRed('Documents.', 'another file as notes.md');
    });
  });

  test('and calls a revoked one active is found out', async () => {
    const lie = changing(apiOf('/releases/1.0.0'), (answer) =>
      'status' in answer ? { ...answer, status: 'active' } : answer,
    );
    await liar.lying(lie, async () => {
      await open('/release/1.0.0');
      await expectRed("The server's list.", 'it says “active”, the history says “revoked”');
    });
  });

  test('and gives the transaction of another entry is found out', async () => {
    const lie = changing(apiOf('/history/4/transaction'), async (answer) => {
      const { input } = (await (await fetch(`${stack.url}${apiOf('/history/2/transaction')}`)).json()) as Answer;
      return { ...answer, input };
    });
    await liar.lying(lie, async () => {
      await open('/release/1.1.0');
      await expectRed('Approvals.', 'The server gives another transaction');
    });
  });
});

test.each([
  ['a node proves whose keys the account has', 1],
  ['the address of the account is made of its keys', 0],
])('a server that says that others have approved is found out where %s', async (_, count) => {
  await believing({ witnesses: true, rpcUrls: nodes.slice(0, count).map((node) => node.url) });
  const lie = changing(apiOf('/history/4/transaction'), (answer) => {
    const names = ['product', 'version', 'image', 'attestation', 'rollbackIndex', 'epoch', 'deadline'] as const;
    const values = registryInterface.decodeFunctionData('publish', answer.input).slice(0, names.length);
    const plain = values.map((value) => (typeof value === 'bigint' ? Number(value) : value));
    const message = Object.fromEntries(names.map((name, index) => [name, plain[index]])) as ActionMessage<'Publish'>;
    const at = { account: audited.team.account, epoch: 1 };
    const approval = approveAction(stack.info, at, mixedTeam().slice(0, 2), 'Publish', message);
    return { ...answer, input: registryInterface.encodeFunctionData('publish', [...plain, approval]) };
  });
  await open('/release/1.1.0');
  await person.page.getByText('they are enough of the keys that the account is made of').waitFor();
  await liar.lying(lie, async () => {
    await person.page.reload();
    await expectRed('Approvals.', 'not enough of the keys');
  });
});

describe('an RPC node that lies', () => {
  const stateRoot = `0x${'7'.repeat(64)}`;

  test('about a block is found out by another one', async () => {
    await believing({ rpcUrls: nodes.map((node) => node.url), rpcQuorum: 1 });
    const [, second] = nodes;
    if (second === undefined) throw new Error('there are two nodes');
    second.lie = ({ method }, result) =>
      method === 'eth_getBlockByNumber' ? { ...(result as object), stateRoot } : result;
    await open();
    await expectRed('nodes-disagree', 'one of them lies');
    second.lie = (_, result) => result;
  });

  test('about a block is found out alone, too: its proof does not lead there', async () => {
    const [first] = nodes;
    if (first === undefined) throw new Error('there are two nodes');
    await believing({ rpcUrls: [first.url] });
    first.lie = ({ method }, result) =>
      method === 'eth_getBlockByNumber' ? { ...(result as object), stateRoot } : result;
    await open();
    await expectRed('account-proof-invalid', `The proof that ${new URL(first.url).host} gives`);
    first.lie = (_, result) => result;
  });

  test('about storage is found out by the proof', async () => {
    const [first] = nodes;
    if (first === undefined) throw new Error('there are two nodes');
    await believing({ rpcUrls: [first.url] });
    first.lie = ({ method }, result) => {
      if (method !== 'eth_getProof') return result;
      const { storageProof, ...rest } = result as { storageProof: { proof: string[] }[] };
      return { ...rest, storageProof: storageProof.map((one) => ({ ...one, proof: forgeProof(one.proof) })) };
    };
    await open();
    await expectRed('storage-proof-invalid', `The proof that ${new URL(first.url).host} gives`);
    first.lie = (_, result) => result;
  });

  test('and is silent is no lie: the others are enough, where the visitor says so', async () => {
    const [first] = nodes;
    if (first === undefined) throw new Error('there are two nodes');
    await believing({ rpcUrls: nodes.map((node) => node.url), rpcQuorum: 1 });
    first.cut = true;
    await open();
    await verdict().getByText('1 of 2 RPC nodes vouch for it').waitFor();
    first.cut = false;
    expect(await verdict().getAttribute('class')).toBe('verdict good');
    await believing({ rpcUrls: nodes.map((node) => node.url), rpcQuorum: 2 });
    first.cut = true;
    await open();
    await verdict().getByText('1 of 2 needed RPC nodes answer').waitFor();
    const inUse = person.page.locator('.in-use');
    await inUse.getByText('1 of 2 RPC nodes').waitFor();
    expect(await inUse.textContent()).toMatch(/answer$/);
    // Nobody is told to set what is set.
    expect(await verdict().getByText('RPC nodes of your choice').count()).toBe(0);
    first.cut = false;
  });
});

test('a trust root of another product vouches for nothing here', async () => {
  await believing({});
  const file = join(stack.directory, 'other-root.json');
  writeFileSync(file, JSON.stringify(other.trustRoot.envelope));
  await open();
  await person.page.setInputFiles('.verdict input[type=file]', {
    name: 'a.json',
    mimeType: '',
    buffer: Buffer.from('{}'),
  });
  await verdict().getByText('the trust root').first().waitFor();
  await person.page.setInputFiles('.verdict input[type=file]', {
    name: 'b.json',
    mimeType: '',
    buffer: readFileSync(file),
  });
  await verdict().getByText('That is the trust root of another product').waitFor();
  expect(await verdict().getAttribute('class')).toBe('verdict warn');
});
