// What a publisher administers, from the command line: tokens, webhooks, and the log of the server, also when somebody has been at it.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Home } from '@firmproof/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproof, runCommand } from '../support/command.ts';
import { destroyStack, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

let stack: Stack;
let home: string;
const passphrase = 'correct horse';

beforeAll(async () => {
  stack = await startStack();
  home = temporaryDirectory();
  await new Home(home).makeKeys(passphrase, { jobs: ['approval'] });
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await destroyStack(stack);
});

const environment = () => ({ FIRMPROOF_HOME: home, FIRMPROOF_PASSPHRASE: passphrase, FIRMPROOF_SERVER: stack.url });

async function json(args: readonly string[], more: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runCommand(firmproof, [...args, '--json'], { ...environment(), ...more });
  expect(stderr).toBe('');
  expect(code, stdout).toBe(0);
  return JSON.parse(stdout);
}

async function fails(code: string, exitCode: number, args: readonly string[], more: Record<string, string> = {}) {
  const outcome = await runCommand(firmproof, [...args, '--json'], { ...environment(), ...more });
  expect(outcome.code, outcome.stderr).toBe(exitCode);
  const problem = JSON.parse(outcome.stderr);
  expect(problem.code).toBe(code);
  return problem.message as string;
}

/** As somebody does who has the machine of the server. */
function tamper<Result>(work: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(join(stack.directory, 'firmproof.sqlite'));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

describe('tokens', () => {
  test('are made with a role, used, listed and revoked; and admin is left nowhere', async () => {
    const made = await json([
      'token',
      'create',
      '--role',
      'read-receipts,admin',
      '--expires',
      '2d',
      '--label',
      'auditor',
    ]);
    expect(made).toMatchObject({ scopes: ['read-receipts', 'admin'], token: expect.stringMatching(/^fp_/) });
    const { tokens } = await json(['token', 'list'], { FIRMPROOF_TOKEN: made.token });
    expect(tokens.map(({ label }: { label?: string }) => label)).toContain('auditor');
    expect(JSON.stringify(tokens)).not.toContain(made.token);
    expect(() => readFileSync(join(home, 'tokens.json'))).toThrow('ENOENT');
    await json(['token', 'revoke', made.id]);
    await fails('token-invalid', 4, ['token', 'list'], { FIRMPROOF_TOKEN: made.token });
  });
});

describe('a webhook', () => {
  test('is added, tried, inspected and removed', async () => {
    const receiver = new WebhookReceiver();
    await receiver.start();
    try {
      const added = await json(['webhook', 'add', receiver.url, '--events', 'release.published,device.flagged']);
      receiver.secrets = [added.secret];
      expect(await json(['webhook', 'test'])).toMatchObject({ state: 'delivered', attempts: [{ status: 204 }] });
      const { code, stdout } = await runCommand(firmproof, ['webhook', 'deliveries'], environment());
      expect(code).toBe(0);
      expect(stdout).toMatch(/webhook\.test +\S+ +delivered +1 +HTTP 204/);
      await json(['webhook', 'remove', added.id.slice(0, 8)]);
    } finally {
      await receiver.stop();
    }
  });
});

describe('the log of the server', () => {
  test('is shown, pinned, and held to what was seen; a change names its entry, also where nobody has looked for long', async () => {
    const { code, stdout } = await runCommand(firmproof, ['server-log'], environment());
    expect(code).toBe(0);
    expect(stdout).toMatch(/0 {6}\S+ +server +server-started/);
    expect(stdout).toMatch(/account:0x[0-9a-f]{6}… +login/);
    expect(stdout).toMatch(/all \d+ entries follow each other; the newest has hash [0-9a-f]{64}/);
    const pins = join(home, 'heads.json');
    const { head, publisher, entries } = await json(['server-log', '--verify', '--pin', pins]);
    expect(entries[0]).toMatchObject({ index: 0, action: 'server-started' });
    expect(JSON.parse(readFileSync(pins, 'utf8'))).toEqual([{ server: stack.url, publisher, ...head }]);

    const of = (position: number) =>
      tamper((database) =>
        database
          .prepare('SELECT document FROM server_log_entries WHERE owner = ? AND position = ?')
          .get(publisher, position),
      )?.['document'] as string;
    const set = (position: number, document: string) =>
      tamper((database) =>
        database
          .prepare('UPDATE server_log_entries SET document = ? WHERE owner = ? AND position = ?')
          .run(document, publisher, position),
      );
    // Somebody makes it look as if another token had been made.
    const genuine = of(2);
    const entry = JSON.parse(genuine);
    set(2, JSON.stringify({ ...entry, details: { ...entry.details, scopes: 'publish' } }));
    expect(await fails('server-log-rewritten', 5, ['server-log', '--verify'])).toMatch(/^entry 2 of the log/);
    set(2, genuine);

    // Somebody cuts off the end: the log holds together, and is shorter than it was.
    tamper((database) => {
      database.prepare('DELETE FROM server_log_entries WHERE owner = ? AND position > 1').run(publisher);
      const { hash } = JSON.parse(of(1));
      database.prepare('UPDATE server_logs SET entries = 2, hash = ? WHERE owner = ?').run(hash, publisher);
    });
    // The login that asks is written down as entry 2.
    expect(await fails('server-log-rewritten', 5, ['server-log'])).toMatch(/^entry \d+ of the log/);
    expect(await fails('server-log-rewritten', 5, ['server-log', '--accept-rewritten', '--heads', pins])).toMatch(
      /^entry \d+ of the log/,
    );
    await json(['server-log', '--accept-rewritten']);
    const followed = await runCommand(firmproof, ['server-log', '--follow', '--json', '--lines', '1'], environment(), {
      endAtFirstLine: true,
    });
    expect(JSON.parse(followed.stdout)).toMatchObject({ action: 'login' });
  });
});
