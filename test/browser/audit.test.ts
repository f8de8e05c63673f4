import { randomBytes, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditFile } from '@firmproof/client';
import { parseVersion, sha256 } from '@firmproof/protocol';
import { type Entry, Replay } from '@firmproof/protocol/audit';
import { publicKeyOf } from '@firmproof/protocol/node';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuditedProduct, hostileNotes, makeAuditedProduct } from '../support/audited-product.ts';
import { buildPages, hostFiles, type Look, Person, startBrowser } from '../support/browser.ts';
import { ed25519Key, type TestKey } from '../support/keys.ts';
import { advisoryStatementOf, rebuildStatementOf, signedBy } from '../support/said-later.ts';
import { destroyStack, makeVendor, type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let host: Awaited<ReturnType<typeof hostFiles>>;
let browser: Browser;
let audited: AuditedProduct;
let rootFile: string;

/** On a static host that is not the server's: what the pages need they take from a server that their config.json names. */
beforeAll(async () => {
  const [started, pages] = await Promise.all([startStack(), buildPages('--pages', 'audit')]);
  stack = started;
  writeFileSync(join(pages, 'config.json'), JSON.stringify({ server: stack.url }));
  [host, browser, audited] = await Promise.all([hostFiles(pages), startBrowser(), makeAuditedProduct(stack)]);
  rootFile = join(stack.directory, 'trust-root.json');
  writeFileSync(rootFile, JSON.stringify(audited.team.trustRoot.envelope));
});
afterAll(async () => {
  await browser?.close();
  await host?.stop();
  await destroyStack(stack);
});

const productPage = (query = '') => `#/product/${audited.team.product}${query}`;
const releasePage = (version: string) => `#/product/${audited.team.product}/release/${version}`;
const verdict = (page: Page) => page.locator('.verdict');

/** A visitor of the pages; with `trusting`, one who has the vendor's trust root. */
async function visit(hash: string, { trusting = true, ...look }: Look & { trusting?: boolean } = {}): Promise<Person> {
  const person = await Person.sitDown(browser, [host.url, stack.url, new URL(stack.info.rpcUrl ?? '').origin], look);
  person.page.setDefaultTimeout(30_000);
  if (trusting) {
    await person.page.goto(`${host.url}/config.json`);
    await person.page.evaluate(
      (root) => localStorage.setItem('firmproof.audit', JSON.stringify({ trustRoots: [root] })),
      readFileSync(rootFile, 'utf8'),
    );
  }
  await person.page.goto(`${host.url}/${hash}`);
  return person;
}

async function leave(person: Person): Promise<void> {
  expect(person.offences).toEqual([]);
  await person.leave();
}

const outcomes = (page: Page, outcome: string) => page.locator(`.checks .${outcome} .check-name`).allTextContents();

describe('one product', () => {
  test('is only said by the server, until a trust root vouches for it; then a second visit asks for nothing again', async () => {
    const person = await visit(productPage(), { trusting: false });
    const { page } = person;
    await verdict(page).getByText('Said by the server, not checked here').waitFor();
    expect(await verdict(page).getAttribute('class')).toContain('warn');
    await page.setInputFiles('.verdict input[type=file]', rootFile);
    await verdict(page).getByText('The history is complete, and vouched for').waitFor();
    await verdict(page).getByText(`${audited.entries} entries replay to the hash`).waitFor();
    await verdict(page).getByText('3 of 3 witnesses vouch for it').waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.reload();
    await verdict(page).getByText('The history is complete, and vouched for').waitFor();
    const histories = asked.filter((url) => url.includes('/history?'));
    expect(histories.map((url) => new URL(url).searchParams.get('after'))).toEqual([String(audited.entries)]);
    await leave(person);
  });

  test('is vouched for by RPC nodes that the visitor names, with the keyboard alone', async () => {
    const person = await visit('#/settings', { trusting: false });
    const { page } = person;
    await page.getByLabel('One address a line').focus();
    await page.keyboard.type(stack.info.rpcUrl ?? '');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('In use: set by you, kept in this browser.').waitFor();
    await page.getByRole('link', { name: 'Products' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'prime-hub' }).focus();
    await page.keyboard.press('Enter');
    await verdict(page).getByText('1 of 1 RPC node vouches for it').waitFor();
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
    await page.getByRole('button', { name: /^Revocations/ }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(`1 of ${audited.entries} entries`).waitFor();
    expect(new URL(page.url()).hash).toBe(productPage('?kinds=revocations'));
    await page.locator('.timeline').getByRole('link', { name: '1.0.0' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('Revoked on').waitFor();
    await leave(person);
  });

  test('shows what happened, who approved it, and what stands out', async () => {
    const person = await visit(productPage());
    const { page } = person;
    await verdict(page).waitFor();
    await page.getByText('A change of keys or policy waits to be put in force').waitFor();
    await page.locator('.channel .badge', { hasText: 'halted' }).waitFor();
    await page.getByText('Planned was (dashed): 10 % of the devices first').waitFor();
    await page.getByText('1.0.0 was revoked').waitFor();
    const release = page.locator('.event.published', { hasText: '1.1.0' });
    await release.getByText('approved by 2 keys, verified here').waitFor();
    await release.locator('summary').press('Enter');
    expect(await release.getByText('signature verified').count()).toBe(2);
    await leave(person);
  });

  test('has links that carry filters, a page and a search', async () => {
    const person = await visit(productPage('?kinds=releases&search=1.1'));
    const { page } = person;
    await page.getByText(`1 of ${audited.entries} entries`).waitFor();
    await page.getByLabel('Search').fill('nothing of the kind');
    await page.getByText('Nothing fits these filters.').waitFor();
    await page.getByLabel('Search').fill('#2');
    await page.locator('.timeline').getByRole('link', { name: '1.0.0' }).waitFor();
    expect(new URL(page.url()).hash).toBe(productPage('?kinds=releases&search=%232'));
    await leave(person);
  });

  test('gives its entries away as files that anybody can replay', async () => {
    const person = await visit(productPage());
    const { page } = person;
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Entries as JSON' }).click(),
    ]);
    const document = JSON.parse(readFileSync(await download.path(), 'utf8'));
    // As the command reads it: entries, proof, approvals and attestations, with a trust root from elsewhere.
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Audit file' }).click(),
    ]);
    const offline = await auditFile(await file.path(), { trustRoot: audited.team.trustRoot });
    expect(offline.summary).toMatchObject({ complete: true, sequence: audited.entries });
    expect(offline.summary.findings.filter(({ severity }) => severity === 'bad')).toEqual([]);
    offline.close();
    const replay = new Replay();
    for (const entry of document.entries as Entry[]) replay.take(entry);
    expect(replay.history).toBe((await audited.team.vendor.client.product(audited.team.product)).history);
    expect(document.verdict.tone).toBe('good');
    await leave(person);
  });
});

test('a link to nothing says what it lacks, and has a way back', async () => {
  const person = await visit('#/compare');
  const { page } = person;
  await page.getByRole('heading', { name: 'No such page' }).waitFor();
  await page.goto(`${host.url}/${releasePage('1')}`);
  await page.getByRole('heading', { name: 'No such release' }).waitFor();
  await page.getByRole('link', { name: 'To the product' }).click();
  await verdict(page).waitFor();
  await leave(person);
});

describe('one release', () => {
  test('passes every check, and the image does when it is dropped; another file says nothing against the record', async () => {
    const person = await visit(releasePage('1.1.0'));
    const { page } = person;
    await verdict(page).getByText('The record is genuine').waitFor();
    expect(await outcomes(page, 'unchecked')).toEqual(['Image Not checked']);
    const buffer = audited.images.get('1.1.0') ?? Buffer.alloc(0);
    await page.setInputFiles('.card .drop input', { name: 'hub.bin', mimeType: '', buffer });
    await page.getByText('This file is the image of this release.').waitFor();
    expect(await outcomes(page, 'passed')).toHaveLength(13);
    expect(await outcomes(page, 'unchecked')).toEqual([]);
    await page.setInputFiles('.card .drop input', { name: 'x.bin', mimeType: '', buffer: Buffer.from('x') });
    await page.getByText('This file is another image.').waitFor();
    await page.getByRole('alert').getByText('Your file is not the image of 1.1.0').waitFor();
    expect(await outcomes(page, 'failed')).toEqual(['Image Wrong']);
    // The record is as genuine as before.
    expect(await verdict(page).getAttribute('class')).toBe('verdict good');
    await verdict(page).getByText('The record is genuine').waitFor();
    await leave(person);
  });

  test('without anybody who vouches shows nothing as checked that rests on the server', async () => {
    const person = await visit(releasePage('1.1.0'), { trusting: false });
    const { page } = person;
    await verdict(page).getByText('nobody whom you believe vouches for this entry').waitFor();
    await page.getByText('digest holds; nobody vouches for the entry').waitFor();
    await page.getByText('approved by 2 keys: signatures hold; nobody vouches for this entry').first().waitFor();
    const buffer = audited.images.get('1.1.0') ?? Buffer.alloc(0);
    await page.setInputFiles('.card .drop input', { name: 'hub.bin', mimeType: '', buffer });
    await page.getByText('This file is the image of the entry; nobody vouches for the entry.').waitFor();
    expect(await page.locator('main').locator('.passed, .good, .keys:not(.warn)').count()).toBe(0);
    await leave(person);
  });

  test('with markup in its notes shows the markup', async () => {
    const person = await visit(releasePage('1.1.0'));
    await person.page.getByText(hostileNotes).first().waitFor();
    // With the keyboard, which does not miss what moves while the rest of the page comes.
    await person.page.locator('.documents summary').press('Enter');
    await person.page.locator('pre').getByText('# What is new').waitFor();
    expect(await person.page.locator('.card img, .card script').count()).toBe(0);
    await leave(person);
  });

  test('has the rebuilds and advisories that count, and says how many do not', async () => {
    const [alice, stranger] = [ed25519Key(), ed25519Key()];
    const solo = await makeVendor(stack, {
      name: 'essential-hub',
      signers: { rebuilders: [{ name: 'alice', publicKey: alice.publicKey }] },
    });
    const { product, buildKey, vendor } = solo;
    const image = randomBytes(500);
    await solo.publish('1.0.0', image);
    const build: TestKey = {
      privateKey: buildKey,
      publicKey: publicKeyOf(buildKey),
      sign: (message) => sign('sha256', message, buildKey).toString('base64'),
    };
    await vendor.client.sendRebuild(
      product,
      parseVersion('1.0.0'),
      signedBy(alice, rebuildStatementOf({ product }, sha256(image))),
    );
    await vendor.client.publishAdvisory(product, signedBy(build, advisoryStatementOf({ product })));
    const person = await visit('#/settings', { trusting: false });
    const { page } = person;
    // A server that adds one of its own making.
    const forged = signedBy(stranger, advisoryStatementOf({ product, id: 'FPA-2026-2', title: 'Send us your keys' }));
    await page.route('**/advisories?*', async (route) => {
      const answer = await (await route.fetch()).json();
      answer.items.push({ digest: sha256(Buffer.from(forged)), receivedAt: 1, attestation: forged });
      await route.fulfill({ json: answer, headers: { 'access-control-allow-origin': '*' } });
    });
    await page.setInputFiles('.trust-root-choice input', {
      name: 'root.json',
      mimeType: '',
      buffer: Buffer.from(JSON.stringify(solo.trustRoot.envelope)),
    });
    await page.getByText('The trust root of essential-hub is in use.').waitFor();
    await page.goto(`${host.url}/#/product/${product}/release/1.0.0`);
    await page.getByRole('alert').getByText('The radio takes commands without pairing').waitFor();
    await page.getByText('alice got the same image').waitFor();
    expect(await page.locator('.documents').getByText('signature verified').count()).toBe(2);
    await page.getByText('Not counted: 1 advisory').waitFor();
    expect(await page.getByText('Send us your keys').count()).toBe(0);
    expect(await outcomes(page, 'failed')).toEqual([]);
    await page.goto(`${host.url}/#/product/${product}`);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Audit file' }).click(),
    ]);
    using offline = await auditFile(await file.path(), { trustRoot: solo.trustRoot });
    expect([...offline.releases()]).toMatchObject([
      { rebuilds: [{ rebuilder: 'alice' }], advisories: [{ id: 'FPA-2026-1' }] },
    ]);
    expect(offline.summary.saidLater.passedOver).toEqual({ rebuilds: 0, advisories: 0 });
    await leave(person);
  });

  test('that was never published is none', async () => {
    const person = await visit(releasePage('9.9.9'));
    await person.page.getByRole('heading', { name: 'There is no release 9.9.9' }).waitFor();
    await leave(person);
  });
});

/** Every page, ready to be looked at. */
const views: readonly (readonly [name: string, hash: () => string, ready: (page: Page) => Promise<unknown>])[] = [
  ['the products', () => '#/', (page) => page.getByRole('link', { name: 'prime-hub' }).waitFor()],
  ['the settings', () => '#/settings', (page) => page.getByText('Version 1, chain').waitFor()],
  [
    'a product',
    () => productPage(),
    async (page) => {
      await page.getByText('approved by 2 keys').last().waitFor();
      await page.getByRole('button', { name: 'All of it about entry 2' }).click();
    },
  ],
  ['a release', () => releasePage('1.1.0'), (page) => page.getByText('The record is genuine').waitFor()],
  ['a link that is cut', () => '#/product/0x12', (page) => page.getByText('No such product').waitFor()],
];

describe.each(views)('%s', (_name, hash, ready) => {
  test.each(['light', 'dark'] as const)(
    'has nothing that keeps anybody out and fits a phone, %s',
    async (colorScheme) => {
      const person = await visit(hash(), { colorScheme, width: 360, height: 700 });
      await ready(person.page);
      // Through the devtools, as an extension would: the page's own policy lets nobody add a script.
      const { violations } = (await person.page.evaluate(
        `${axe.source}; axe.run(document, { resultTypes: ['violations'] })`,
      )) as { violations: readonly { id: string; nodes: readonly { html: string }[] }[] };
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      const widths = '[document.documentElement.scrollWidth, document.documentElement.clientWidth]';
      expect(await person.page.evaluate(widths)).toEqual([360, 360]);
      await leave(person);
    },
  );
});
