import { expect, test } from 'vitest';
import { buildPages, Person, startBrowser } from '../support/browser.ts';
import { destroyStack, startStack } from '../support/stack.ts';
test('probe', async () => {
  const pages = await buildPages();
  const stack = await startStack(undefined, { FIRMPROOF_PAGES: pages });
  const url = stack.url.replace('127.0.0.1', 'localhost');
  const browser = await startBrowser();
  for (const colorScheme of ['light', 'dark'] as const) for (const width of [390, 1100]) {
    const p = await Person.sitDown(browser, [url, stack.url], { colorScheme, width });
    await p.page.goto(`${url}/#/`);
    await p.page.getByRole('heading', { level: 1 }).waitFor();
    await p.page.screenshot({ path: `/tmp/shots/home-${colorScheme}-${width}.png`, fullPage: true });
    await p.page.goto(`${url}/#/enrol`);
    await p.page.getByLabel('Your name and device').fill('Ada, laptop');
    await p.page.getByRole('button', { name: 'Make a passkey' }).click();
    await p.page.getByText('is made').waitFor();
    await p.page.screenshot({ path: `/tmp/shots/enrol-${colorScheme}-${width}.png`, fullPage: true });
    console.log(p.offences);
    await p.leave();
  }
  await browser.close();
  await destroyStack(stack);
  expect(1).toBe(1);
});
