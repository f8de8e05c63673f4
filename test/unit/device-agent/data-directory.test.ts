// What an agent that may not read its own memory does, and whose files it makes.
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFirmproofError, trustRootType } from '@firmproof/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openAgent, viewAgent } from '../../../device-agent/src/agent.ts';
import { readConfig } from '../../../device-agent/src/config.ts';
import { examine } from '../../../device-agent/src/doctor.ts';
import { createInstaller } from '../../../device-agent/src/installers/create-installer.ts';
import { choiceOf, hold } from '../../../device-agent/src/policy/choice.ts';
import { sendReceipts } from '../../../device-agent/src/receipts/send.ts';
import { statusOf } from '../../../device-agent/src/status.ts';
import { makeDevice, type TestDevice } from '../../support/device.ts';
import { trustRootOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { ed25519Key } from '../../support/keys.ts';
import { temporaryDirectory } from '../../support/stack.ts';

let directory: string;
let device: TestDevice;
let data: string;
beforeEach(() => {
  directory = temporaryDirectory();
  const trustRoot = trustRootOf({ type: trustRootType }, [ed25519Key()]);
  device = makeDevice(trustRoot, ['http://127.0.0.1:9/'], {}, join(directory, 'device'));
  data = join(device.directory, 'data');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const isRoot = process.geteuid?.() === 0;
const nobody = 65_534;

/** Every file with its bytes. As root: nobody else could read them all. */
const contentsOf = (of = device.directory) =>
  readdirSync(of, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const file = join(of, name);
      return [name, statSync(file).isFile() ? readFileSync(file, 'base64') : null];
    });

function giveTo(user: number): void {
  chownSync(directory, user, user);
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    chownSync(join(directory, name), user, user);
}

async function asUser<Result>(user: number, act: () => Promise<Result> | Result): Promise<Result> {
  const before = process.geteuid?.() ?? 0;
  process.seteuid?.(user);
  try {
    return await act();
  } finally {
    process.seteuid?.(before);
  }
}

const config = () => readConfig(device.configFile);
const open = async () => (await openAgent(config())).close();
const status = async () => statusOf(viewAgent(config()));

/** A device that has been at work, and that somebody has told to hold its updates. */
async function started(): Promise<void> {
  await device.check();
  await device.act(async (agent) => {
    await agent.journal.write({ rollbackFloor: 7 });
    await agent.journal.write({});
    await hold(agent, { untilSeconds: null, updates: 'all' });
    await sendReceipts(agent);
  });
}

const files = ['journal.json', 'journal.previous.json', 'identity.json', 'device.key', 'choice.json', 'receipts.json'];

describe('what cannot be read', () => {
  test.runIf(isRoot).each(files)('%s of root stops the agent of another user, and nothing is changed', async (name) => {
    await started();
    giveTo(nobody);
    chownSync(join(data, name), 0, 0);
    chmodSync(join(data, name), 0o600);
    const before = contentsOf();
    const error = await asUser(nobody, () => open().catch((raw: unknown) => raw));
    expect(error).toMatchObject({ code: 'data-unreadable' });
    if (!isFirmproofError(error)) throw error;
    expect(error.message).toContain(`${join(data, name)} cannot be read (EACCES): it belongs to root (uid 0)`);
    expect(error.hint).toMatch(new RegExp(`chown \\S+: ${join(data, name)}$`));
    await asUser(nobody, () => expectCode('data-unreadable', status));
    expect(contentsOf()).toEqual(before);
    chownSync(join(data, name), nobody, nobody);
    await asUser(nobody, async () => {
      await open();
      expect(await status()).toMatchObject({ rollbackFloor: 7, hold: { updates: 'all' } });
    });
  });

  test.each(files)('%s on storage that does not give it out is not taken for damaged or missing', async (name) => {
    await started();
    // To read a directory fails for everybody, as a bad sector does.
    rmSync(join(data, name));
    mkdirSync(join(data, name));
    const before = contentsOf();
    await expectCode('data-unreadable', status);
    await expectCode('data-unreadable', () =>
      device.act(async (agent) => {
        choiceOf(agent);
        const problem = await sendReceipts(agent);
        if (problem?.includes('receipts.json cannot be read (EISDIR)')) await status();
      }),
    );
    expect(contentsOf()).toEqual(before);
  });

  test.runIf(isRoot)('a directory of another user is not looked into, and the way in is named', async () => {
    await started();
    chmodSync(directory, 0o755);
    chmodSync(join(data, '..'), 0o755);
    const error = await asUser(nobody, () => status().catch((raw: unknown) => raw));
    expect(error).toMatchObject({ code: 'data-unreadable', hint: expect.stringContaining('root') });
  });
});

describe('root by hand', () => {
  test.runIf(isRoot)('leaves nothing in the directory of the agent, and is told whom to be', async () => {
    await started();
    giveTo(nobody);
    const before = contentsOf();
    await expectCode('data-of-another-user', open);
    const error = await hold(viewAgent(config()), { untilSeconds: null, updates: 'all' }).catch((raw: unknown) => raw);
    expect(error).toMatchObject({
      code: 'data-of-another-user',
      hint: expect.stringMatching(/^Run it as that user: runuser -u \S+ -- firmproof-agent/),
    });
    expect(contentsOf()).toEqual(before);
    expect(await status()).toMatchObject({ rollbackFloor: 7 });
  });
});

describe('to look', () => {
  test('writes nothing on a device that has never started', async () => {
    rmSync(data, { recursive: true, force: true });
    const before = contentsOf();
    expect(await status()).toMatchObject({ device: null, keyDigest: null, state: 'idle', slot: null });
    const findings = await examine(device.configFile);
    expect(findings.find(({ subject }) => subject === 'identity')).toMatchObject({
      message: expect.stringContaining('none yet'),
    });
    expect(contentsOf()).toEqual(before);
  });

  test('leaves a damaged journal where it is, and says so', async () => {
    await started();
    writeFileSync(join(data, 'journal.json'), 'x');
    writeFileSync(join(data, 'identity.json'), 'x');
    const before = contentsOf();
    expect(await status()).toMatchObject({ rollbackFloor: 7, recoveredFrom: join(data, 'journal.json'), device: null });
    expect(await examine(device.configFile)).toContainEqual(
      expect.objectContaining({ subject: 'journal', result: 'warn', code: 'journal-corrupt' }),
    );
    expect(contentsOf()).toEqual(before);
  });
});

describe('the images of the installer `files`', () => {
  const umask = process.umask();
  afterEach(() => process.umask(umask));

  test('can be read by other users, whatever the umask of the agent', async () => {
    process.umask(0o077);
    const slots = join(directory, 'slots');
    const installer = createInstaller({ kind: 'files', directory: slots });
    const modes = async () => {
      await (await installer.open('a', 3)).close();
      return [slots, join(slots, 'a.image')].map((path) => statSync(path).mode & 0o777);
    };
    expect(await modes()).toEqual([0o755, 0o644]);
    // Files of an agent that did not see to it; a directory that somebody has closed stays so.
    chmodSync(join(slots, 'a.image'), 0o600);
    chmodSync(slots, 0o750);
    expect(await modes()).toEqual([0o750, 0o644]);
  });
});
