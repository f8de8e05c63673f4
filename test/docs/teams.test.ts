// The pages about teams are followed here word for word, by people with a machine of their own each, on one server.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofClient, Home } from '@firmproof/client';
import { type Address, parseProductName, parseVersion } from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproof } from '../support/command.ts';
import { readPage, sectionsOf, shellBlocks } from '../support/page.ts';
import { Person, type Running, watch } from '../support/person.ts';
import { destroyStack, eventually, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';

const minutes = 60_000;

let stack: Stack;
let directory: string;
/** What the pages call ACCOUNT and PROPOSAL: the last ones that a command has printed. */
const printed = { ACCOUNT: '', PROPOSAL: '' };
/** Commands that wait for other people. */
let waiting: Running[] = [];

beforeAll(async () => {
  stack = await startStack();
  directory = temporaryDirectory();
  writeFileSync(join(directory, 'firmware.bin'), randomBytes(300_000));
});
afterAll(async () => {
  await Promise.all(waiting.map((running) => running.interrupt()));
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

const homeOf = (person: string) => join(directory, person.toLowerCase().replaceAll(/\W+/g, '-'));

/** What asks on a terminal is answered with yes. */
const asking =
  /^npx firmproof (?:approve|setup --team|team (?:join|add|remove|replace|recover|recovery))\b(?:.*\\\n)*.*$/gm;

/** That npx finds the command is what the test of the README shows; going without it halves the time. */
const npx = `npx() { shift; "${process.execPath}" "${firmproof}" "$@"; }`;

/** One block of code: the first line says who types it. Ends when its commands have, or when they wait for others. */
async function follow(block: string): Promise<string> {
  const [, person = '', code = ''] = /^# (.+)\n([\s\S]*)$/.exec(block) ?? [];
  expect(person, block).not.toBe('');
  const typed = code
    .replaceAll(/\b(?:ACCOUNT|PROPOSAL)\b/g, (name) => printed[name as keyof typeof printed])
    .replaceAll(asking, '$& --yes');
  mkdirSync(homeOf(person), { recursive: true });
  const child = spawn('sh', ['-e', '-c', `${npx}\n${typed}`], {
    cwd: directory,
    env: {
      ...process.env,
      FIRMPROOF_HOME: homeOf(person),
      FIRMPROOF_SERVER: stack.url,
      FIRMPROOF_PASSPHRASE: 'correct horse battery staple',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running = watch(child);
  const waits = running.says('Waiting for them').then(
    () => true,
    () => false,
  );
  if (await waits) waiting.push(running);
  else {
    const { code: exitCode } = await running.ended;
    expect(exitCode, `${person}: ${typed}\n${running.output()}`).toBe(0);
  }
  remember(code, running.output());
  return running.output();
}

function remember(code: string, output: string): void {
  const last = (pattern: RegExp) => [...output.matchAll(pattern)].at(-1)?.[1];
  printed.ACCOUNT = last(/team join (0x[0-9a-f]{40})/g) ?? printed.ACCOUNT;
  // Whoever approves is told of others too; what is meant is what was proposed.
  if (/firmproof approve/.test(code)) return;
  printed.PROPOSAL = last(/firmproof approve (0x[0-9a-f]{64}(?: 0x[0-9a-f]{64})*)/g) ?? printed.PROPOSAL;
}

/** Everything that the page says, in its order; what waited has come to its end then. */
async function followPage(file: string, before: (heading: string) => Promise<void> = async () => undefined) {
  let output = '';
  for (const { heading, text } of sectionsOf(readPage(file))) {
    await before(heading);
    for (const block of shellBlocks(text)) output += await follow(block);
  }
  for (const running of waiting) expect((await running.ended).code, running.output()).toBe(0);
  output += waiting.map((running) => running.output()).join('');
  waiting = [];
  return output;
}

const client = () => new FirmproofClient({ server: stack.url });
const account = () => client().account(printed.ACCOUNT as Address);
const signers = (...people: string[]) =>
  Promise.all(
    people.map((person) => new Home(homeOf(person)).signer(() => Promise.reject(new Error('no passphrase')))),
  );

describe('the pages about teams', () => {
  test(
    'take five people from nothing to a release',
    async () => {
      const output = await followPage('docs/teams.md');
      expect(output).toContain('3 of 5 have to approve');
      const { threshold, recovery, ...team } = await account();
      expect([threshold, recovery.threshold, recovery.signers.length]).toEqual([3, 2, 2]);
      expect(team.signers).toEqual(await signers('Alice', 'Bruno', 'Carla', 'Dora', 'Emil'));
      const product = new Home(homeOf('Alice')).settings.products[parseProductName('prime-hub')]?.id;
      const { publisher, channels } = await eventually(
        () => client().product(product ?? ('' as never)),
        (found) => found.channels.length > 0,
        'the channel to point at the release',
      );
      expect(publisher).toBe(printed.ACCOUNT);
      expect(channels).toMatchObject([{ channel: 'stable', version: '1.0.0' }]);
    },
    10 * minutes,
  );

  test(
    'bring a night shift through a bad release',
    async () => {
      writeFileSync(join(homeOf('Alice'), '..', 'firmware-2.bin'), randomBytes(300_000));
      const output = await followPage('docs/bad-night.md');
      expect(output).toContain('The server offers 1.1.0 on stable to nobody any more');
      expect(output).toContain('0 of 0 enrolled devices have signed that they run 1.1.0');
      expect(output).toContain('channel stable is halted until the next promote');
      expect(output).toContain('next: firmproof fall-back stable, or firmproof resume stable');
      expect(output).toContain('Falling back to 1.0.0');
      const product = new Home(homeOf('Alice')).settings.products[parseProductName('prime-hub')]?.id;
      const now = await eventually(
        () => client().release(product ?? ('' as never), parseVersion('1.1.0')),
        ({ status }) => status === 'revoked',
        'the bad release to be revoked',
      );
      expect(now.status).toBe('revoked');
      const [head] = (await client().product(product ?? ('' as never))).channels;
      expect(head).toMatchObject({ version: '1.0.0', halted: false, stopped: false });
    },
    5 * minutes,
  );

  test(
    'let somebody go, and somebody new in',
    async () => {
      await followPage('docs/departed-employee.md');
      const team = await account();
      expect(team).toMatchObject({ epoch: 3, threshold: 3 });
      expect(team.signers).toEqual(await signers('Alice', 'Bruno', 'Carla', 'Dora', 'Frida'));
      const emil = new Person('emil', directory, stack.url);
      const { code, stderr } = await emil.run(['login', '--json'], {
        FIRMPROOF_PASSPHRASE: 'correct horse battery staple',
      });
      expect([code, JSON.parse(stderr).code]).toEqual([4, 'login-invalid']);
    },
    10 * minutes,
  );

  test(
    'bring a team back that has lost one key, and one that has lost too many',
    async () => {
      await followPage('docs/lost-key.md', async (heading) => {
        if (heading.startsWith('3.')) expect((await account()).pendingRecovery).toBeUndefined();
        if (!heading.includes('After 30 days')) return;
        expect((await account()).pendingRecovery).toBeDefined();
        expect((await account()).signers).toEqual(
          await signers('Alice', 'Bruno, on a new laptop', 'Carla', 'Dora', 'Frida'),
        );
        const rpc = createRpc(stack.rpcUrl);
        await rpc('evm_increaseTime', [30 * 24 * 3600]);
        await rpc('evm_mine');
      });
      expect(await account()).toMatchObject({
        epoch: 5,
        threshold: 2,
        signers: await signers('Alice', 'Carla', 'Gina'),
      });
    },
    10 * minutes,
  );
});
