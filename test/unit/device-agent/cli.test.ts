// What the agent says: to people, to programs and to the journal.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCatalogue, trustRootType } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCodeOf, exitCodeOfError } from '../../../device-agent/src/cli/exit-codes.ts';
import { explain } from '../../../device-agent/src/cli/explain.ts';
import { leadsToJournal, logLine, priorityOf } from '../../../device-agent/src/cli/log.ts';
import { requireNode } from '../../../device-agent/src/cli/require-node.ts';
import { describeStatus } from '../../../device-agent/src/cli/status-commands.ts';
import { examine } from '../../../device-agent/src/doctor.ts';
import { programPath } from '../../../device-agent/src/installers/program.ts';
import { hold } from '../../../device-agent/src/policy/choice.ts';
import { makeDevice, type TestDevice } from '../../support/device.ts';
import { trustRootOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { ed25519Key } from '../../support/keys.ts';
import { temporaryDirectory } from '../../support/stack.ts';

let directory: string;
let device: TestDevice;
beforeAll(() => {
  directory = temporaryDirectory();
  const trustRoot = trustRootOf({ type: trustRootType }, [ed25519Key()]);
  device = makeDevice(trustRoot, ['http://owner:secret@127.0.0.1:9/'], {}, join(directory, 'device'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('explain', () => {
  test.each(Object.keys(errorCatalogue))('%s has a meaning and a remedy', (code) => {
    const { meaning, remedy } = JSON.parse(explain(code, true));
    expect(meaning.length).toBeGreaterThan(10);
    expect(remedy.length).toBeGreaterThan(5);
    expect(explain(code, false)).toBe(`${code}\n  ${meaning}\n  What to do: ${remedy}`);
  });

  test('helps with what is no code', async () => {
    await expectCode('usage-invalid', () => explain('quorum', false));
    await expectCode('usage-invalid', () => explain(undefined, false));
  });
});

describe('the command', () => {
  test('says in one line that Node is too old, which would run on and leave things out', async () => {
    for (const version of ['18.19.1', '20.20.2', '23.11.0'])
      await expectCode('node-too-old', () => requireNode(version));
    for (const version of ['24.0.0', '26.1.0', '100.0.0']) requireNode(version);
  });

  test('has one exit code for a code, whichever command it ends', () => {
    for (const code of ['unavailable', 'no-quorum', 'stale'] as const)
      expect(exitCodeOfError(code)).toBe(exitCodeOf('unproven'));
    expect(exitCodeOfError('install-in-progress')).toBe(3);
    expect(exitCodeOfError('device-storage-full')).toBe(exitCodeOf('refused'));
    for (const code of [
      'usage-invalid',
      'config-invalid',
      'trust-root-malformed',
      'data-unreadable',
      'node-too-old',
    ] as const)
      expect(exitCodeOfError(code)).toBe(2);
  });
});

describe('log lines', () => {
  test('are JSON with a priority; under systemd the line begins with it', () => {
    const event = { event: 'round', message: 'current: nothing to do', outcome: 'current' };
    const line = logLine('info', event, false);
    expect(JSON.parse(line)).toEqual({ priority: 6, ...event });
    expect(line.endsWith('}\n')).toBe(true);
    expect(logLine('error', event, true)).toMatch(/^<3>\{"priority":3,/);
    expect(leadsToJournal({ JOURNAL_STREAM: '8:12345' })).toBe(true);
    expect(leadsToJournal({})).toBe(false);
    expect(priorityOf({ outcome: 'rolled-back' } as never)).toBe('error');
  });

  test('never hold the credentials of an address, or a second line', () => {
    const message = 'https://owner:secret@host/path and http://token@other:81/\nnext';
    const line = logLine('notice', { event: 'x', message, deep: { url: 'socks5h://a:b@c' } }, false);
    expect(line).not.toMatch(/secret|token@|a:b/);
    expect(JSON.parse(line).message).toBe('https://host/path and http://other:81/\nnext');
    expect(line.trimEnd()).not.toContain('\n');
  });
});

describe('status', () => {
  test('says why on one screen, with code, remedy and since when, and no secret', async () => {
    await device.check();
    const status = await device.status();
    expect(status).toMatchObject({
      statusVersion: 1,
      why: { outcome: 'unproven', code: 'unavailable', remedy: errorCatalogue.unavailable.remedy },
      lastSuccessfulCheck: null,
    });
    const since = status.why.since;
    expect(since).toMatch(/^20\d\d-/);
    device.sleep(1);
    await device.check();
    expect((await device.status()).why.since).toBe(since);
    const text = describeStatus(status);
    expect(text).toContain('[unavailable]');
    const nextCheck = '2026-01-01T00:00:00.000Z';
    const planned = (trustedTime: string) => describeStatus({ ...status, nextCheck, trustedTime });
    expect(planned('2025-12-31T00:00:00.000Z')).toMatch(/^next check +planned for 2026-01-01/m);
    expect(planned('2026-01-02T00:00:00.000Z')).toMatch(/^next check +was planned for 2026-01-01/m);
    const failed = { version: '2.0.0', image: 'ab', headCounter: 1, code: 'health-check-failed', reason: 'it was ill' };
    expect(describeStatus({ ...status, failed: [failed as never] })).toMatch(
      /^failed here +2\.0\.0: it was ill \[health/m,
    );
    expect(text.split('\n').length).toBeLessThan(25);
    expect(text + JSON.stringify(status)).not.toContain('secret');
  });

  test('says since when in the life of the version that runs: another version begins anew', async () => {
    const since = async () => (await device.status()).why.since;
    const current = { outcome: 'current', code: 'already-installed', message: 'it runs' };
    const run = (version: string) =>
      device.act(({ journal, clock }) =>
        journal.write({
          installed: { version: version as never, image: null },
          lastVerdict: current,
          time: clock.snapshot(),
        }),
      );
    await run('1.0.0');
    const first = await since();
    device.sleep(1);
    await run('1.0.0');
    expect(await since()).toBe(first);
    await run('1.1.0');
    expect(Date.parse((await since()) ?? '')).toBeGreaterThan(Date.parse(first ?? ''));
  });

  test('says what people have chosen', async () => {
    await device.act((agent) => hold(agent, { untilSeconds: null, updates: 'feature' }));
    expect(describeStatus(await device.status())).toMatch(/^held {12}feature updates since /m);
  });
});

describe('doctor', () => {
  test('says of each thing whether it is in order, and what to do', async () => {
    const findings = await examine(device.configFile);
    const bySubject = (subject: string) => findings.filter((finding) => finding.subject === subject);
    expect(bySubject('config')).toMatchObject([{ result: 'ok' }]);
    expect(bySubject('source')).toMatchObject([{ result: 'fail', code: 'unavailable' }]);
    expect(bySubject('clock')).toMatchObject([{ result: 'warn' }]);
    expect(bySubject('slots')).toMatchObject([{ result: 'ok' }]);
    expect(bySubject('choice')).toMatchObject([{ result: 'warn', code: 'update-held' }]);
    expect(new Set(findings.map(({ subject }) => subject))).toEqual(
      new Set([
        'config',
        'trust',
        'clock',
        'source',
        'programs',
        'slots',
        'space',
        'identity',
        'journal',
        'receipts',
        'choice',
      ]),
    );
    for (const { result, remedy } of findings) if (result !== 'ok') expect(remedy).toBeTruthy();
    expect(JSON.stringify(findings)).not.toContain('secret');
  });

  test('looks for every program that an update needs, as the agent would', async () => {
    const file = join(directory, 'not-executable');
    writeFileSync(file, '#!/bin/sh\n', { mode: 0o644 });
    const missing = { command: ['/nope/x'] };
    const other = makeDevice(
      trustRootOf({ type: trustRootType }, [ed25519Key()]),
      ['http://127.0.0.1:9/'],
      {
        hooks: { beforeInstall: missing, afterInstall: { command: ['true'] }, afterActivation: { command: [file] } },
        health: { command: [directory] },
        metered: missing,
        reboot: missing,
        installer: {
          kind: 'command',
          directory: join(directory, 'staged'),
          install: { command: ['no-such-program-anywhere', '{slot}'] },
          rollBack: { command: ['sh', '-c', 'true'] },
        },
      },
      join(directory, 'other'),
    );
    const findings = (await examine(other.configFile)).filter(({ subject }) => subject === 'programs');
    expect(findings.map(({ result, message }) => `${result} ${message}`)).toEqual([
      'fail hooks.beforeInstall: /nope/x does not exist',
      `fail hooks.afterActivation: ${file} may not be executed`,
      `fail health: ${directory} is no file`,
      'fail reboot: /nope/x does not exist',
      'warn metered: /nope/x does not exist',
      `fail installer.install: no-such-program-anywhere is in none of ${programPath}`,
    ]);
  });

  test('says what is wrong with the configuration, and nothing else then', async () => {
    expect(await examine(join(directory, 'none.json'))).toMatchObject([
      { subject: 'config', result: 'fail', code: 'file-not-found' },
    ]);
  });
});
