import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Proposal, Signer } from '@firmproof/protocol';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ApprovalTeam } from '../support/approval-team.ts';
import { buildPages, Person, startBrowser } from '../support/browser.ts';
import { type Lie, LyingServer } from '../support/lying-server.ts';
import { destroyStack, type Stack, startStack } from '../support/stack.ts';

// biome-ignore lint/suspicious/noExplicitAny: a liar keeps to no schema.
type Answer = any;

let stack: Stack;
let liar: LyingServer;
let url: string;
let browser: Browser;
let person: Person;
let passkey: Signer;
let team: ApprovalTeam;
let proposal: Proposal;
let other: Proposal;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_PAGES: await buildPages('--pages', 'approvals') });
  liar = await LyingServer.start(stack.url);
  url = liar.url.replace('127.0.0.1', 'localhost');
  browser = await startBrowser();
  person = await Person.sitDown(browser, [url]);
  passkey = await person.enrol(url);
  team = await ApprovalTeam.form(stack, [passkey]);
  proposal = (await team.propose('1.0.0', randomBytes(1000))).proposal;
  other = (await team.propose('2.0.0', randomBytes(2000))).proposal;
});
afterAll(async () => {
  await browser?.close();
  await liar?.stop();
  await destroyStack(stack);
});
beforeEach(() => person.page.goto('about:blank'));

/** Changes what the server answers at a path; its events never come, so that the page has to ask again. */
function changing(path: string, change: (answer: Answer) => Answer): Lie {
  return {
    answer(request: IncomingMessage, response: ServerResponse) {
      if (request.url?.endsWith('/events')) {
        response.writeHead(503).end();
        return true;
      }
      if (request.url !== path) return false;
      fetch(`${stack.url}${path}`)
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

const open = async () => {
  await person.page.goto(`${url}/#/proposal/${proposal.id}`);
  await person.page.getByRole('heading', { name: 'Your decision' }).waitFor();
};
const approveButton = () => person.page.getByRole('button', { name: /^Approve/ });

/** The page must have found out, in these words, and must not let anybody approve. */
async function expectFound(check: string, text: string): Promise<void> {
  const alert = person.page.getByRole('alert');
  await alert.getByText('Do not approve this: something here is not true.').waitFor();
  await alert.getByText('server-lied').waitFor();
  expect(await alert.textContent()).toContain(`${check}. ${text}`);
  expect(await approveButton().isDisabled()).toBe(true);
  expect(await person.page.locator('.checks .failed', { hasText: check }).count()).toBe(1);
  expect((await team.client.proposal(proposal.id)).approvals).toEqual([]);
}

describe('a server that lies (A49)', () => {
  const lies: readonly (readonly [
    what: string,
    path: () => string,
    change: (answer: Answer) => Answer,
    check: string,
    text: string,
  ])[] = [
    [
      'shows another image than the link names',
      () => `/v1/proposals/${proposal.id}`,
      (answer) => ({ ...answer, message: { ...answer.message, image: `0x${'5'.repeat(64)}` } }),
      'The link',
      'The server shows something else than what the link names',
    ],
    [
      'shows another proposal, genuine in itself',
      () => `/v1/proposals/${proposal.id}`,
      () => other,
      'The link',
      'The server shows something else than what the link names',
    ],
    [
      'gives the attestation of another release',
      () => `/v1/proposals/${proposal.id}/attestation`,
      () => team.client.proposedAttestation(other.id),
      'The attestation',
      'The server gives another attestation than the one that you would approve.',
    ],
    [
      'names another registry',
      () => '/v1/info',
      (answer) => ({ ...answer, registry: `0x${'7'.repeat(40)}` }),
      'The link',
      'The server shows something else than what the link names',
    ],
    [
      'holds other bytes than the statement is about',
      () => `/v1/proposals/${proposal.id}`,
      (answer) => ({ ...answer, image: { ...answer.image, digest: '5'.repeat(64) } }),
      'The upload',
      'The server says that it holds another image than the statement is about.',
    ],
  ];

  test.each(lies)('and %s is found out', async (_what, path, change, check, text) => {
    await liar.lying(changing(path(), change), async () => {
      await open();
      await expectFound(check, text);
    });
  });

  test('and has another account sign gets nothing signed', async () => {
    const changed = changing(`/v1/proposals/${proposal.id}`, (answer) => ({
      ...answer,
      requirements: { ...answer.requirements, account: `0x${'7'.repeat(40)}` },
    }));
    await liar.lying(changed, async () => {
      await open();
      expect(await approveButton().isDisabled()).toBe(true);
      await person.page.getByText('There is nothing here that a passkey could sign.').waitFor();
    });
  });

  test('and says more in the message than is signed is not shown at all', async () => {
    const changed = changing(`/v1/proposals/${proposal.id}`, (answer) => ({
      ...answer,
      message: { ...answer.message, note: 'harmless' },
    }));
    await liar.lying(changed, async () => {
      await person.page.goto(`${url}/#/proposal/${proposal.id}`);
      await person.page.getByRole('alert').getByText('approval-malformed').waitFor();
      expect(await approveButton().count()).toBe(0);
    });
  });

  test('and calls the product something else is shown to say so itself', async () => {
    const changed = changing(`/v1/products/${team.product}`, (answer) => ({ ...answer, name: 'harmless-hub' }));
    await liar.lying(changed, async () => {
      await open();
      const product = person.page.locator('.row', { hasText: 'harmless-hub' });
      await product.getByText('said by the server').waitFor();
      await person.page.locator('.checks .unchecked', { hasText: 'The product name' }).waitFor();
    });
  });
});

describe('chain and registry', () => {
  test('are said to be unknown until something was approved, and then another is refused', async () => {
    const account = `${url}/#/account/${team.account}`;
    await open();
    await person.page.locator('.checks .unchecked', { hasText: 'Chain and registry' }).waitFor();
    const asked = (await team.propose('1.1.0', randomBytes(1000))).proposal;
    await person.page.goto(`${url}/#/proposal/${asked.id}`);
    await approveButton().click();
    await person.page.locator('.approvers').getByText('approved').waitFor();
    await person.page.goto('about:blank');
    await open();
    await person.page.locator('.checks .passed', { hasText: 'Chain and registry' }).waitFor();
    const changed = changing('/v1/info', (answer) => ({ ...answer, registry: `0x${'7'.repeat(40)}` }));
    await liar.lying(changed, async () => {
      await person.page.goto('about:blank');
      await person.page.goto(account);
      await person.page.getByRole('alert').getByText(`Expected were ${stack.info.chainId}`).waitFor();
      expect(await person.page.getByRole('button', { name: 'Show them with a passkey' }).count()).toBe(0);
    });
  });

  test('are the ones that the pages are set up for, or nothing is approved', async () => {
    const elsewhere = `0x${'9'.repeat(40)}`;
    const pinned = await buildPages('--pages', 'approvals', '--chain-id', '1', '--registry', elsewhere);
    const strict = await startStack(undefined, { FIRMPROOF_PAGES: pinned });
    try {
      const strictUrl = strict.url.replace('127.0.0.1', 'localhost');
      const visitor = await Person.sitDown(browser, [strictUrl]);
      const strictTeam = await ApprovalTeam.form(strict, [await visitor.enrol(strictUrl)]);
      const asked = (await strictTeam.propose('1.0.0', randomBytes(1000))).proposal;
      await visitor.page.goto(`${strictUrl}/#/proposal/${asked.id}`);
      const alert = visitor.page.getByRole('alert');
      await alert.getByText(`Expected were 1 and ${elsewhere}.`).waitFor();
      expect(await visitor.page.getByRole('button', { name: /^Approve/ }).isDisabled()).toBe(true);
      expect(await visitor.page.getByRole('button', { name: 'Reject …' }).isDisabled()).toBe(true);
    } finally {
      await destroyStack(strict);
    }
  });
});

test('where events do not come through, the page asks again', async () => {
  const silent = changing('/nothing', (answer) => answer);
  const asked = (await team.propose('3.0.0', randomBytes(1000))).proposal;
  await liar.lying(silent, async () => {
    await person.page.goto(`${url}/#/proposal/${asked.id}`);
    await person.page.getByText('Waiting for approvals.').waitFor();
    await team.approve(asked, team.wallet);
    await team.approve(asked, team.hardware);
    await person.page.getByText('Done: it is on chain.').waitFor();
  });
});

test('a server that is away is said to be away, and is asked again when the person wants', async () => {
  const away: Lie = {
    answer(request, response) {
      if (!request.url?.startsWith('/v1/')) return false;
      response.destroy();
      return true;
    },
  };
  await liar.lying(away, async () => {
    await person.page.goto(`${url}/#/proposal/${proposal.id}`);
    await person.page.getByRole('alert').getByText('server-unreachable').waitFor();
  });
  await person.page.getByRole('button', { name: 'Try again' }).click();
  await person.page.getByRole('heading', { name: 'Release prime-hub 1.0.0' }).waitFor();
});
