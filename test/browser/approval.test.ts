import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseVersion, type Signer, sha256, shortSigner } from '@firmproof/protocol';
import { getAddress } from 'ethers';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApprovalTeam } from '../support/approval-team.ts';
import { buildPages, Person, startBrowser } from '../support/browser.ts';
import { destroyStack, type Stack, stable, startStack } from '../support/stack.ts';
import { walletSigner } from '../support/team.ts';

let stack: Stack;
let url: string;
let browser: Browser;
let person: Person;
let passkey: Signer;
let team: ApprovalTeam;
const first = randomBytes(1_500_000);

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_PAGES: await buildPages('--pages', 'approvals') });
  url = stack.url.replace('127.0.0.1', 'localhost');
  browser = await startBrowser();
  person = await Person.sitDown(browser, [url]);
  passkey = await person.enrol(url);
  team = await ApprovalTeam.form(stack, [passkey]);
  await team.publish('1.0.0', first, { hardware: ['rev-a'] });
});
afterAll(async () => {
  await browser?.close();
  await destroyStack(stack);
});

const open = async (id: string) => {
  await person.page.goto(`${url}/#/proposal/${id}`);
  await person.page.getByRole('heading', { name: 'Your decision' }).waitFor();
};
const approveButton = () => person.page.getByRole('button', { name: /^Approve/ });
const row = (label: string) =>
  person.page.locator('.row', { has: person.page.getByText(label, { exact: true }) }).locator('dd');

describe('a release', () => {
  test('is shown, compared with the image, approved with a passkey and a wallet, and is on chain', async () => {
    const image = Buffer.concat([first, randomBytes(400_000)]);
    const notes = 'Repairs the charging of cold batteries.';
    const { proposal, file } = await team.propose('1.1.0', image, { hardware: ['rev-a', 'rev-b'], notes });
    await open(proposal.id);
    const { page } = person;
    await page.getByRole('heading', { name: 'Release prime-hub 1.1.0' }).waitFor();
    expect(await row('Image sha-256').textContent()).toBe(sha256(image));
    expect(await row('Image CID').textContent()).toBe(proposal.image?.cid);
    expect(await row('Image size').textContent()).toBe('1,900,000 bytes (1.8 MiB)');
    expect(await row('For hardware').textContent()).toBe('rev-a, rev-b');
    expect(await row('Notes').textContent()).toBe(notes);
    const compared = page.getByRole('table');
    expect(await compared.getByRole('row', { name: 'Hardware' }).textContent()).toBe('Hardwarerev-arev-a, rev-b');
    expect(await compared.getByRole('row', { name: 'Size' }).textContent()).toContain('+400,000');
    expect(await page.locator('.checks .failed').count()).toBe(0);
    await page.locator('.checks .passed', { hasText: 'It names exactly what is shown here' }).waitFor();

    await page.setInputFiles('input[type=file]', file);
    await page.getByText('This file is the image that you approve.').waitFor();
    await approveButton().click();
    await page
      .locator('.approvers li', { hasText: shortSigner(passkey).slice(8) })
      .getByText('approved')
      .waitFor();
    expect((await team.client.proposal(proposal.id)).approvals.map(({ signer }) => signer)).toEqual([passkey]);

    await team.approve(proposal, team.wallet);
    await page.getByText('Done: it is on chain.').waitFor();
    const release = await team.client.release(team.product, parseVersion('1.1.0'));
    expect(release).toMatchObject({ status: 'active', image: sha256(image) });
    expect(person.offences).toEqual([]);
  });

  test('cannot be approved while the file that was dropped is another image', async () => {
    const { proposal, file } = await team.propose('1.2.0', randomBytes(3_000_000));
    await open(proposal.id);
    const { page } = person;
    expect(await approveButton().isEnabled()).toBe(true);
    const other = join(stack.directory, 'other.bin');
    writeFileSync(other, randomBytes(3_000_000));
    await page.setInputFiles('input[type=file]', other);
    await page.getByText('This file is another image. Do not approve.').waitFor();
    expect(await approveButton().isDisabled()).toBe(true);
    await page.getByText('The file that you chose is another image.').waitFor();
    await page.setInputFiles('input[type=file]', file);
    await page.getByText('This file is the image that you approve.').waitFor();
    expect(await approveButton().isEnabled()).toBe(true);
  });

  test('is rejected with a reason that everybody reads', async () => {
    const { proposal } = await team.propose('1.3.0', randomBytes(1000));
    await open(proposal.id);
    const { page } = person;
    await page.getByRole('button', { name: 'Reject …' }).click();
    await page.getByLabel(/Why should this not happen/).fill('The battery test failed.');
    await page.getByRole('button', { name: 'Reject with a passkey' }).click();
    await page.getByText('“The battery test failed.”').waitFor();
    const { rejections } = await team.client.proposal(proposal.id);
    expect(rejections).toMatchObject([{ signer: passkey, reason: 'The battery test failed.' }]);
    // Two of three can still approve; the last one's rejection ends it, and the page hears of it.
    await team.approve(proposal, team.wallet);
    await team.approve(proposal, team.hardware);
    await page.getByText('Done: it is on chain.').waitFor();
  });

  test('is not approved when the person does not confirm', async () => {
    const { proposal } = await team.propose('1.4.0', randomBytes(1000));
    await open(proposal.id);
    await person.refuse(true);
    await approveButton().click();
    const alert = person.page.getByRole('alert');
    await alert.getByText('passkey-refused').waitFor();
    await person.refuse(false);
    await approveButton().click();
    await person.page.locator('.approvers').getByText('approved').waitFor();
    expect(await person.page.getByRole('alert').count()).toBe(0);
  });

  test('is approved by a passkey that this browser has forgotten', async () => {
    const { proposal } = await team.propose('1.5.0', randomBytes(1000));
    const list = await person.page.evaluate(() => {
      const kept = localStorage.getItem('firmproof.passkeys') ?? '';
      localStorage.removeItem('firmproof.passkeys');
      return kept;
    });
    await open(proposal.id);
    await person.page.getByRole('button', { name: 'Approve with a passkey' }).click();
    await person.page.locator('.approvers').getByText('approved').waitFor();
    expect((await team.client.proposal(proposal.id)).approvals.map(({ signer }) => signer)).toEqual([passkey]);
    // Its signature has told whose it is.
    await person.page.getByText('yours', { exact: true }).waitFor();
    await person.page.evaluate((kept) => localStorage.setItem('firmproof.passkeys', kept), list);
  });
});

test('a way back is approved in advance, and says that it waits to be asked for', async () => {
  const { id } = await team.vendor.prepareFallback(team.product, stable, parseVersion('1.0.0'), 2);
  await open(id);
  const { page } = person;
  await page.getByRole('heading', { name: 'Prepare the way back to prime-hub 1.0.0 on stable' }).waitFor();
  await page.getByText('A way back, approved in advance').waitFor();
  expect(await row('Starts').textContent()).toContain('only when somebody asks for it');
  await approveButton().click();
  await page.getByText('held-back').waitFor();
  expect(await team.client.proposal(id)).toMatchObject({ state: 'approving', reason: { code: 'held-back' } });
});

describe('passkeys', () => {
  test('alone are not enough, however many they are (A49)', async () => {
    const second = await Person.sitDown(browser, [url]);
    const another = await second.enrol(url, 'Grace, phone');
    const browsers = await ApprovalTeam.form(stack, [passkey, another], { name: 'browsers' });
    const { proposal } = await browsers.propose('1.0.0', randomBytes(1000));
    for (const { page } of [person, second]) {
      await page.goto(`${url}/#/proposal/${proposal.id}`);
      await page.getByRole('button', { name: /^Approve/ }).click();
    }
    await second.page.getByText('One approval has to come from outside a browser').waitFor();
    await second.page.getByText('browser-alone').waitFor();
    const waiting = await browsers.client.proposal(proposal.id);
    expect(waiting).toMatchObject({ state: 'approving', reason: { code: 'browser-alone' } });
    expect(waiting.approvals).toHaveLength(2);
    await browsers.approve(proposal, browsers.wallet);
    await second.page.getByText('Done: it is on chain.').waitFor();
    expect(second.offences).toEqual([]);
    await second.leave();
  });

  test('are enough where the account says so', async () => {
    const trusting = await ApprovalTeam.form(stack, [passkey], {
      name: 'trusting',
      threshold: 1,
      change: { passkeysAlone: true },
    });
    const { proposal } = await trusting.propose('1.0.0', randomBytes(1000));
    await open(proposal.id);
    await approveButton().click();
    await person.page.getByText('Done: it is on chain.').waitFor();
  });

  test('of somebody else approve nothing', async () => {
    const stranger = await Person.sitDown(browser, [url]);
    await stranger.enrol(url, 'Mallory');
    const { proposal } = await team.propose('1.6.0', randomBytes(1000));
    await stranger.page.goto(`${url}/#/proposal/${proposal.id}`);
    await stranger.page.getByRole('button', { name: 'Approve with a passkey' }).click();
    await stranger.page.getByRole('alert').getByText('signer-unknown').waitFor();
    expect((await team.client.proposal(proposal.id)).approvals).toEqual([]);
    await stranger.leave();
  });
});

describe('an account', () => {
  test('gets other signers, whose whole keys are shown, with the approvals of old and new', async () => {
    const { page } = person;
    const own = await ApprovalTeam.form(stack, [passkey], { name: 'changing' });
    const { epoch } = await own.client.account(own.account);
    const newcomer = walletSigner();
    const message = {
      signers: [own.wallet.signer, newcomer.signer, passkey],
      threshold: 2,
      passkeysAlone: false,
      epoch: epoch + 1,
      deadline: Math.floor(Date.now() / 1000) + 3600,
    };
    const proposal = await own.client.changeAccount('set-signers', own.account, { message, approvals: [] });
    await open(proposal.id);
    const signers = row('Signers').locator('li');
    expect(await signers.allTextContents()).toEqual([
      `Wallet${getAddress(own.wallet.signer)}stays`,
      `Wallet${getAddress(newcomer.signer)}new`,
      `Passkeyyours: Ada, laptop${passkey.slice(42)}stays`,
      `P-256 key${shortSigner(own.hardware.signer).slice(5)}removed`,
    ]);
    await approveButton().click();
    await page.locator('.approvers').getByText('approved').nth(1).waitFor();
    await own.approve(proposal, own.wallet);
    await page.getByText('Done: it is on chain.').waitFor();
    expect((await own.client.account(own.account)).signers.toSorted()).toEqual(message.signers.toSorted());
  });

  test('shows its signers, and to them what waits', async () => {
    const { proposal } = await team.propose('1.7.0', randomBytes(1000));
    const { page } = person;
    await page.goto(`${url}/#/account/${team.account}`);
    await page.getByText('2 of 3', { exact: true }).waitFor();
    await page.getByText('Nobody can recover this account.').waitFor();
    await page.getByRole('button', { name: 'Show them with a passkey' }).click();
    await page.getByRole('link', { name: 'Release 1.7.0' }).click();
    await page.getByRole('heading', { name: 'Release prime-hub 1.7.0' }).waitFor();
    expect(page.url()).toBe(`${url}/#/proposal/${proposal.id}`);
    expect(person.offences).toEqual([]);
  });
});
