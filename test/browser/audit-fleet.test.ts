// Two releases side by side, and a fleet from what its devices have signed: checked in a real browser, also when the server lies.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPages, hostFiles, type Look, Person, startBrowser } from '../support/browser.ts';
import { makeReportingFleet, type ReportingFleet } from '../support/reporting-fleet.ts';
import { destroyStack, type Stack, startStack } from '../support/stack.ts';

const deviceCount = 24;

let stack: Stack;
let host: Awaited<ReturnType<typeof hostFiles>>;
let browser: Browser;
let fleet: ReportingFleet;

beforeAll(async () => {
  const [started, pages] = await Promise.all([startStack(), buildPages('--pages', 'audit')]);
  stack = started;
  [host, browser, fleet] = await Promise.all([
    hostFiles(pages),
    startBrowser(),
    makeReportingFleet(stack, deviceCount),
  ]);
  const { envelope } = fleet.vendor.trustRoot;
  writeFileSync(join(pages, 'config.json'), JSON.stringify({ server: stack.url, trustRoots: [envelope] }));
});
afterAll(async () => {
  await browser?.close();
  await host?.stop();
  await destroyStack(stack);
});

const hashOf = (rest: string) => `#/product/${fleet.vendor.product}/${rest}`;
const verdict = (page: Page) => page.locator('.verdict');

async function visit(rest: string, look: Look = {}): Promise<Person> {
  const person = await Person.sitDown(browser, [host.url, stack.url], look);
  person.page.setDefaultTimeout(20_000);
  await person.page.goto(`${host.url}/${hashOf(rest)}`);
  return person;
}

async function leave(person: Person): Promise<void> {
  expect(person.offences).toEqual([]);
  await person.leave();
}

async function showFleet({ page }: Person): Promise<void> {
  await page.getByLabel('Token with the role read-receipts').fill(fleet.token);
  await page.keyboard.press('Enter');
  await page.getByText('Versions over time').waitFor();
}

async function expectOpenToAll(page: Page, width: number): Promise<void> {
  // Through the devtools, as an extension would: the page's own policy lets nobody add a script.
  const { violations } = (await page.evaluate(`${axe.source}; axe.run(document, { resultTypes: ['violations'] })`)) as {
    violations: readonly { id: string; nodes: readonly { html: string }[] }[];
  };
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
}

/** Answers with what the server says, changed on its way. */
const changed = (change: (text: string) => string) => async (route: Route) => {
  const response = await route.fetch();
  await route.fulfill({ response, body: change(await response.text()) });
};

describe('two releases', () => {
  test('are compared by what was signed about both, with the keyboard alone', async () => {
    const person = await visit('');
    const { page } = person;
    await page.goto(`${host.url}/${hashOf('release/1.2.0')}`);
    await page.getByRole('link', { name: 'compare 1.2.0 with 1.1.0' }).first().focus();
    await page.keyboard.press('Enter');
    await verdict(page).getByText('Both records are genuine: this is what was signed').waitFor();
    await page.getByLabel('From').focus();
    await page.keyboard.type('1.0.0');
    await page.getByText('mbedtls').waitFor();
    expect(new URL(page.url()).hash).toBe(hashOf('compare/1.0.0/1.2.0'));
    await page.getByText('From the whole bills of materials, hashed here: 42 and 42 parts.').waitFor();
    const differing = await page.locator('.compared .differs > th').allTextContents();
    expect(differing.map((text) => text.replace(' (differs)', ''))).toEqual(
      expect.arrayContaining([
        'Image',
        'Size',
        'Rollback index',
        'Hardware',
        'Severity',
        'Fixes',
        'Supported until',
        'SBOM',
      ]),
    );
    expect(await page.locator('.notes-diff li').allTextContents()).toEqual([
      '−Gone: First release.',
      '+New: Third release.',
      ' Measures every ten minutes.',
      '+New: The battery lasts longer.',
    ]);
    expect(await page.locator('.components .changed').filter({ hasText: 'zlib' }).textContent()).toMatch(
      /License: Zlib.*MIT/,
    );
    await page.getByRole('button', { name: '1 added' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('1 of 4 differences').waitFor();
    await page.getByRole('button', { name: 'Swap' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.components .removed').filter({ hasText: 'mbedtls' }).waitFor();
    expect(new URL(page.url()).hash).toBe(hashOf('compare/1.2.0/1.0.0'));
    await leave(person);
  });

  test('of which the server swaps one are red, and nothing is shown as its own', async () => {
    const person = await visit('');
    const { page } = person;
    const other = await fetch(`${stack.url}/v1/products/${fleet.vendor.product}/releases/1.1.0/attestation`);
    const text = await other.text();
    await page.route(
      '**/releases/1.2.0/attestation',
      changed(() => text),
    );
    await page.goto(`${host.url}/${hashOf('compare/1.0.0/1.2.0')}`);
    await verdict(page).getByText('Do not rely on this: something here is not true').waitFor();
    expect(await verdict(page).getAttribute('role')).toBe('alert');
    expect(await verdict(page).textContent()).toContain('1.2.0: Attestation. The server gives another one');
    await page.getByText('What was signed about 1.2.0 is not here').waitFor();
    expect(await page.locator('.components, .notes-diff').count()).toBe(0);
    await leave(person);
  });

  test('with a bill of materials that is another one: it is said, and not compared', async () => {
    const person = await visit('');
    const { page } = person;
    await page.route(
      '**/documents/*',
      changed((text) => text.replace('3.6.2', '3.6.3')),
    );
    await page.goto(`${host.url}/${hashOf('compare/1.0.0/1.2.0')}`);
    await page.getByText('another file').waitFor();
    await page.getByText('From the lists in the signed statements').waitFor();
    await page.locator('.components .added').filter({ hasText: '3.6.2' }).waitFor();
    await leave(person);
  });
});

describe('a fleet', () => {
  test('is counted from receipts that are verified here; the token is nowhere to be found', async () => {
    const person = await visit('fleet');
    const { page } = person;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.getByLabel('Token with the role read-receipts').fill('my password');
    await page.keyboard.press('Enter');
    await page.getByText('That is no token').waitFor();
    await showFleet(person);
    await verdict(page).getByText('Counted in this browser, without the receipts that do not hold').waitFor();
    await verdict(page).getByText(`${fleet.receipts} receipts of ${deviceCount} devices`).waitFor();
    await verdict(page).getByText('1: two devices have one key').waitFor();
    expect(await page.locator('.versions-now strong').allTextContents()).toEqual(['1.0.0', '1.1.0', '1.2.0']);
    await page.locator('.outcomes .words').getByText('unhealthy 3×').waitFor();
    expect(await page.locator('.meters').textContent()).toMatch(/Offeredto 50(\.\d+)? %Running.*of 24 devices/);
    await page.getByText('Two devices speak with its key').waitFor();
    await page.getByText('As a table').click();
    expect(await page.locator('.versions tbody tr').count()).toBeGreaterThan(19);

    expect(asked.filter((url) => url.includes(fleet.token.slice(3)))).toEqual([]);
    expect(page.url()).not.toContain(fleet.token.slice(3));
    expect(await page.evaluate('JSON.stringify({ ...localStorage })')).not.toContain(fleet.token.slice(3));
    const other = await person.context.newPage();
    await other.goto(page.url());
    await other.getByLabel('Token with the role read-receipts').waitFor();
    await other.close();
    await page.reload();
    await page.getByText('Versions over time').waitFor();
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await page.getByLabel('Token with the role read-receipts').waitFor();
    expect(await page.evaluate('JSON.stringify({ ...sessionStorage })')).not.toContain(fleet.token.slice(3));
    await leave(person);
  });

  test('a receipt that was changed counts for nothing, and the server that counts it is found out', async () => {
    const person = await visit('fleet');
    const { page } = person;
    await page.route(
      '**/receipts?*',
      changed((text) => text.replace(/\\"counter\\":1,/, '\\"counter\\":9,')),
    );
    await showFleet(person);
    await verdict(page).getByText('the signature is not by the key that it names').waitFor();
    await verdict(page)
      .getByText(`${fleet.receipts - 1} receipts of ${deviceCount} devices`)
      .waitFor();
    await page.route(
      '**/fleet/timeline',
      changed((text) => text.replaceAll(/"devices":\d+/g, '"devices":99')),
    );
    await page.reload();
    await verdict(page).getByText('The server counts otherwise than its receipts prove').waitFor();
    await verdict(page).getByText('it says 99').waitFor();
    expect(await page.locator('.versions-most').textContent()).toBe(`${deviceCount} devices`);
    await leave(person);
  });

  test('that is large is counted by the server, which is said; a sample is verified, then all', async () => {
    const person = await visit('fleet');
    const { page } = person;
    await page.route(
      '**/fleet',
      changed((text) => text.replace(/"heard":\d+/, '"heard":100000')),
    );
    await showFleet(person);
    await verdict(page).getByText('Counted by the server, not verified here').waitFor();
    await page.getByRole('button', { name: 'Verify a sample' }).click();
    await verdict(page).getByText('the sample').waitFor();
    await page.getByRole('button', { name: 'Verify all' }).click();
    await verdict(page).getByText('Counted in this browser').waitFor();
    await leave(person);
  });

  test('is nobody else’s: a token without the role, or of another vendor, shows nothing', async () => {
    const person = await visit('fleet');
    const { page } = person;
    await page.getByLabel('Token with the role read-receipts').fill(`fp_${'A'.repeat(43)}`);
    await page.keyboard.press('Enter');
    await page.getByText('token-invalid').waitFor();
    await page.getByRole('button', { name: 'Use another token' }).click();
    await page.getByLabel('Token with the role read-receipts').waitFor();
    await leave(person);
  });
});

describe.each(['light', 'dark'] as const)('%s, on a phone', (colorScheme) => {
  const look = { colorScheme, width: 390, height: 800 };

  test('the comparison keeps nobody out and fits', async () => {
    const person = await visit('compare/1.0.0/1.2.0', look);
    await person.page.getByText('mbedtls').waitFor();
    await expectOpenToAll(person.page, 390);
    await leave(person);
  });

  test('the fleet keeps nobody out and fits', async () => {
    const person = await visit('fleet', look);
    await person.page.getByLabel('Token with the role read-receipts').waitFor();
    await expectOpenToAll(person.page, 390);
    await showFleet(person);
    await person.page.locator('.outcomes .reasons').getByText('unhealthy 3×').waitFor();
    await verdict(person.page).getByText('Counted in this browser').waitFor();
    await person.page.getByText('As a table').click();
    await expectOpenToAll(person.page, 390);
    await leave(person);
  });
});
