// What a publisher administers, typed as docs/tokens.md, docs/webhooks.md and docs/server-log.md have it; and a log that somebody has cut.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Home, WalletApprover } from '@firmproof/client';
import { parseProductName } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproof, runCommand } from '../support/command.ts';
import { readPage, shellBlocks } from '../support/page.ts';
import { destroyStack, makeVendor, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

let stack: Stack;
let home: string;
const passphrase = 'correct horse';

beforeAll(async () => {
  stack = await startStack();
  home = temporaryDirectory();
  const keys = new Home(home);
  await keys.makeKeys(passphrase, { jobs: ['approval'] });
  const approver = new WalletApprover(await keys.openApprovalKey(async () => passphrase));
  const { product } = await makeVendor(stack, { name: 'prime-hub', approver });
  await keys.addProduct(parseProductName('prime-hub'), product);
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await destroyStack(stack);
});

const environment = () => ({ FIRMPROOF_HOME: home, FIRMPROOF_PASSPHRASE: passphrase, FIRMPROOF_SERVER: stack.url });
const run = (line: string, options: { readonly endAtFirstLine?: boolean } = {}) =>
  runCommand(firmproof, line.split(' '), environment(), { cwd: home, ...options });

/** What a page has its reader type; each line is to be used. */
function linesOf(page: string): string[] {
  return shellBlocks(readPage(page)).flatMap((block) =>
    block
      .trim()
      .split('\n')
      .map((line) => line.replace('npx firmproof ', '')),
  );
}

/** The next line of the page, which must begin so; with what a reader puts in. Answers with its JSON. */
async function type(lines: string[], beginning: string, put: Record<string, string> = {}) {
  const line = lines.shift() ?? '';
  expect(line.slice(0, beginning.length)).toBe(beginning);
  const typed = Object.entries(put).reduce((text, [word, value]) => text.replace(word, value), line);
  const { code, stdout, stderr } = await run(`${typed} --json`);
  expect(stderr).toBe('');
  expect(code, stdout).toBe(0);
  return JSON.parse(stdout);
}

async function rewrittenAt(line: string): Promise<number> {
  const { code, stderr } = await run(`${line} --json`);
  const problem = JSON.parse(stderr);
  expect([code, problem.code]).toEqual([5, 'server-log-rewritten']);
  return Number(/^entry (\d+) of the log/.exec(problem.message)?.[1]);
}

test('tokens are made with a role, listed and revoked; and admin is left nowhere', async () => {
  const lines = linesOf('docs/tokens.md');
  const made = await type(lines, 'token create');
  expect(made).toMatchObject({ scopes: ['read-receipts'], token: expect.stringMatching(/^fp_/) });
  expect(await type(lines, 'token create')).toMatchObject({
    scopes: ['propose'],
    product: expect.stringMatching(/^0x/),
  });
  const listed = JSON.stringify(await type(lines, 'token list'));
  expect(listed).toContain('"label":"dashboard"');
  expect(listed).not.toContain(made.token);
  await type(lines, 'token revoke', { ID: made.id });
  expect(lines).toEqual([]);
  expect(existsSync(join(home, 'tokens.json'))).toBe(false);
});

test('a webhook is added, tried, inspected and removed', async () => {
  const lines = linesOf('docs/webhooks.md');
  const receiver = new WebhookReceiver();
  await receiver.start();
  try {
    const added = await type(lines, 'webhook add', { URL: receiver.url });
    receiver.secrets = [added.secret];
    const tried = await type(lines, 'webhook test');
    expect(tried).toMatchObject({ state: 'delivered', attempts: [{ status: 204 }] });
    expect((await type(lines, 'webhook list')).webhooks).toMatchObject([{ id: added.id, state: 'active' }]);
    const { stdout } = await run(lines.shift() ?? '');
    expect(stdout).toMatch(/webhook\.test +\S+ +delivered +1 +HTTP 204/);
    await type(lines, 'webhook redeliver', { DELIVERY: tried.id });
    await type(lines, 'webhook enable');
    expect((await type(lines, 'webhook rotate')).secret).not.toBe(added.secret);
    await type(lines, 'webhook remove');
    expect(lines).toEqual([]);
  } finally {
    await receiver.stop();
  }
});

describe('the log of the server', () => {
  test('is shown, followed and pinned, and one that somebody has cut off is found out', async () => {
    const lines = linesOf('docs/server-log.md');
    const { stdout } = await run(lines.shift() ?? '');
    expect(stdout).toMatch(/0 {6}\S+ +server +server-started/);
    expect(stdout).toMatch(/account:0x[0-9a-f]{6}… +login/);
    expect(stdout).toMatch(/all \d+ entries follow each other; the newest has hash [0-9a-f]{64}/);
    expect((await type(lines, 'server-log --verify')).checkedFrom).toBe(0);
    const followed = await run(`${lines.shift()} --json`, { endAtFirstLine: true });
    expect(JSON.parse(followed.stdout.split('\n')[0] ?? '')).toMatchObject({ index: 0, action: 'server-started' });
    const { head, publisher } = await type(lines, 'server-log --verify --pin heads.json');
    expect(JSON.parse(readFileSync(join(home, 'heads.json'), 'utf8'))).toEqual([
      { server: stack.url, publisher, ...head },
    ]);
    await type(lines, 'server-log --verify --heads heads.json');
    expect(lines).toEqual([]);

    // It holds together, and is shorter than it was. The login that asks is written down as entry 2.
    const database = new DatabaseSync(join(stack.directory, 'firmproof.sqlite'));
    database.prepare('DELETE FROM server_log_entries WHERE owner = ? AND position > 1').run(publisher);
    const rest = 'SELECT document FROM server_log_entries WHERE owner = ? AND position = 1';
    const { hash } = JSON.parse(String(database.prepare(rest).get(publisher)?.['document']));
    database.prepare('UPDATE server_logs SET entries = 2, hash = ? WHERE owner = ?').run(hash, publisher);
    database.close();
    expect(await rewrittenAt('server-log')).toBe(3);
    expect(await rewrittenAt('server-log --accept-rewritten --heads heads.json')).toBe(4);
    expect((await run('server-log --accept-rewritten')).code).toBe(0);
  });
});
