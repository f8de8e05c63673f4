import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Proposal, parseSigner } from '@firmproof/protocol';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApprovalTeam } from '../support/approval-team.ts';
import { buildPages, hostFiles, type Look, Person, startBrowser } from '../support/browser.ts';
import { destroyStack, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';

let stack: Stack;
let url: string;
let browser: Browser;
let team: ApprovalTeam;
let proposal: Proposal;
let file: string;
let kept: string;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_PAGES: await buildPages('--pages', 'approvals') });
  url = stack.url.replace('127.0.0.1', 'localhost');
  browser = await startBrowser();
  const person = await Person.sitDown(browser, [url]);
  const passkey = await person.enrol(url, 'Ada Lovelace-Byron, the laptop in the laboratory');
  kept = (await person.page.evaluate(() => localStorage.getItem('firmproof.passkeys'))) ?? '';
  await person.leave();
  team = await ApprovalTeam.form(stack, [passkey]);
  await team.publish('1.0.0', randomBytes(1000), { hardware: ['rev-a'] });
  const notes = `A line that is long and has no end in sight: ${'x'.repeat(200)}`;
  ({ proposal, file } = await team.propose('1.1.0-rc.1.2.3.4.5.6.7.8.9', randomBytes(2000), { notes }));
  await team.approve(proposal, team.wallet);
});
afterAll(async () => {
  await browser?.close();
  await destroyStack(stack);
});

/** Every page in each state that it has without somebody's finger, ready to be looked at. */
const views: readonly (readonly [name: string, hash: () => string, ready: (page: Page) => Promise<unknown>])[] = [
  ['the start', () => '#/', (page) => page.getByRole('heading', { name: 'Approve with a passkey' }).waitFor()],
  ['enrolment', () => '#/enrol', (page) => page.getByText('Ada Lovelace-Byron').first().waitFor()],
  [
    'a proposal',
    () => `#/proposal/${proposal.id}`,
    async (page) => {
      await page.getByRole('button', { name: 'Reject …' }).click();
      await page.setInputFiles('input[type=file]', file);
      await page.getByText('This file is the image that you approve.').waitFor();
    },
  ],
  [
    'a proposal and another image',
    () => `#/proposal/${proposal.id}`,
    async (page) => {
      await page.setInputFiles('input[type=file]', { name: 'x.bin', mimeType: '', buffer: Buffer.from('x') });
      await page.getByText('This file is another image.').waitFor();
    },
  ],
  ['an account', () => `#/account/${team.account}`, (page) => page.getByText('2 of 3').waitFor()],
  ['a proposal that is none', () => `#/proposal/0x${'0'.repeat(64)}`, (page) => page.getByRole('alert').waitFor()],
  ['a link that is cut', () => '#/proposal/0x12', (page) => page.getByText('This link leads nowhere').waitFor()],
];

async function visit(look: Look, hash: string, ready: (page: Page) => Promise<unknown>): Promise<Person> {
  const person = await Person.sitDown(browser, [url], look);
  await person.page.goto(`${url}/config.json`);
  await person.page.evaluate((list) => localStorage.setItem('firmproof.passkeys', list), kept);
  await person.page.goto(`${url}/${hash}`);
  await ready(person.page);
  return person;
}

describe.each(views)('%s', (_name, hash, ready) => {
  test.each(['light', 'dark'] as const)('has nothing that keeps anybody out, %s', async (colorScheme) => {
    const person = await visit({ colorScheme }, hash(), ready);
    // Through the devtools, as an extension would: the page's own policy lets nobody add a script.
    const { violations } = (await person.page.evaluate(
      `${axe.source}; axe.run(document, { resultTypes: ['violations'] })`,
    )) as {
      violations: readonly { id: string; nodes: readonly { html: string }[] }[];
    };
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    expect(person.offences).toEqual([]);
    await person.leave();
  });

  test('fits a phone of 360 pixels', async () => {
    const person = await visit({ width: 360, height: 640 }, hash(), ready);
    const widths = '[document.documentElement.scrollWidth, document.documentElement.clientWidth]';
    expect(await person.page.evaluate(widths)).toEqual([360, 360]);
    await person.leave();
  });
});

/** What has the focus, as the eye sees it: its text and its ring. A file input shows itself as its label. */
const focused = `(() => {
  const element = document.activeElement;
  const shown = element.matches('input[type=file]') ? element.closest('label') : element;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  return { text: shown.textContent, ring: outlineStyle + ' ' + outlineWidth };
})()`;

/** Presses Tab until what has the focus says `text`; everything on the way must show that it has it. */
async function tabTo(page: Page, text: string): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press('Tab');
    const now = (await page.evaluate(focused)) as { text: string; ring: string };
    expect(now.ring, now.text).toBe('solid 3px');
    if (now.text.startsWith(text)) return;
    seen.push(now.text);
  }
  throw new Error(`"${text}" is not reached by Tab, only ${seen.join(' | ')}`);
}

test('a keyboard is enough to enrol, compare the image, approve and see it happen', async () => {
  const person = await Person.sitDown(browser, [url]);
  const { page } = person;
  await page.goto(`${url}/#/enrol`);
  await page.getByLabel('Your name and device').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type('Grace');
  await page.keyboard.press('Enter');
  await page.getByText('“Grace” is made.').waitFor();
  await tabTo(page, 'Copy the signer of “Grace”');
  const signer = parseSigner((await page.locator('.notice.good code').textContent()) ?? '');
  const own = await ApprovalTeam.form(stack, [signer], { name: 'keyboard' });
  const asked = await own.propose('1.0.0', randomBytes(1000));
  // Asked for long before it comes: a browser that is not told yet would open its own window of files.
  const choosing = page.waitForEvent('filechooser', { timeout: 60_000 });
  await page.goto(`${url}/#/proposal/${asked.proposal.id}`);
  await page.getByRole('heading', { name: 'Your decision' }).waitFor();
  expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
  await tabTo(page, 'Drop the image here, or choose it');
  await page.keyboard.press('Enter');
  await (await choosing).setFiles(asked.file);
  await page.getByText('This file is the image that you approve.').waitFor();
  await tabTo(page, 'Approve with “Grace”');
  await page.keyboard.press('Enter');
  await page.locator('.approvers').getByText('approved').waitFor();
  await own.approve(asked.proposal, own.wallet);
  await page.getByText('Done: it is on chain.').waitFor();
  expect(person.offences).toEqual([]);
  await person.leave();
});

test('an address that is a number sends people to a name', async () => {
  const person = await Person.sitDown(browser, [stack.url, url]);
  await person.page.goto(`${stack.url}/#/enrol`);
  await person.page.getByText('Passkeys cannot be used here.').waitFor();
  expect(await person.page.getByRole('button', { name: 'Make a passkey' }).isDisabled()).toBe(true);
  await person.page.getByRole('link', { name: `${url}/` }).click();
  await person.page.getByLabel('Your name and device').fill('Ada');
  expect(await person.page.getByRole('button', { name: 'Make a passkey' }).isEnabled()).toBe(true);
  expect(person.page.url()).toBe(`${url}/#/enrol`);
  await person.leave();
});

describe('on an origin of their own', () => {
  let host: Awaited<ReturnType<typeof hostFiles>>;
  let pages: string;

  beforeAll(async () => {
    host = await hostFiles(await buildPages('--pages', 'approvals', '--server', stack.url));
    pages = host.url;
  });
  afterAll(() => host.stop());

  test('a passkey is made, logs in and approves, and nobody else is talked to', async () => {
    const person = await Person.sitDown(browser, [pages, stack.url]);
    const elsewhere = await ApprovalTeam.form(stack, [await person.enrol(pages)], { name: 'elsewhere' });
    const asked = (await elsewhere.propose('1.0.0', randomBytes(1000))).proposal;
    await person.page.goto(`${pages}/#/account/${elsewhere.account}`);
    await person.page.getByRole('button', { name: 'Show them with a passkey' }).click();
    await person.page.getByRole('link', { name: 'Release 1.0.0' }).click();
    await person.page.getByRole('button', { name: /^Approve/ }).click();
    await person.page.locator('.approvers').getByText('approved').waitFor();
    await elsewhere.approve(asked, elsewhere.wallet);
    await person.page.getByText('Done: it is on chain.').waitFor();
    expect(person.offences).toEqual([]);
    await person.leave();
  });

  test('a link cannot point them at another server', async () => {
    const person = await Person.sitDown(browser, [pages, stack.url]);
    await person.page.goto(`${pages}/?server=https://elsewhere.example#/account/${team.account}`);
    await person.page.getByText('2 of 3').waitFor();
    expect(await person.page.locator('.server').textContent()).toBe(new URL(stack.url).host);
    expect(person.offences).toEqual([]);
    await person.leave();
  });

  test('the policy of the pages stops a script that wants to send something elsewhere', async () => {
    const person = await Person.sitDown(browser, [pages, stack.url]);
    await person.page.goto(`${pages}/#/`);
    const outcome = await person.page.evaluate(() =>
      fetch('http://localhost:9/').then(
        () => 'sent',
        () => 'stopped',
      ),
    );
    expect(outcome).toBe('stopped');
    expect(person.offences.join()).toContain('connect-src');
    await person.leave();
  });

  test('they do not work inside another page', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'index.html'), `<iframe src="${pages}/#/enrol"></iframe>`);
    const around = await hostFiles(directory);
    const person = await Person.sitDown(browser, [pages, stack.url, around.url]);
    await person.page.goto(around.url);
    await person.page.frameLocator('iframe').getByText('These pages do not work inside another page.').waitFor();
    await person.leave();
    await around.stop();
  });
});
