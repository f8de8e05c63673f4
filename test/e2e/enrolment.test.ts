// Devices from the factory to the night shift: as a vendor types it, with the real agent on the other side.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDeviceList, type Signer } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { signingDevice } from '../support/enrolled-device.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';
import { type Member, memberOf } from '../support/team-home.ts';

let stack: Stack;
let publisher: TestVendor;
let desk: Member;
let device: TestDevice;

beforeAll(async () => {
  stack = await startStack();
  publisher = await makeVendor(stack, { name: 'lamp' });
  const { wallet } = publisher;
  const signer = wallet.address.toLowerCase() as Signer;
  desk = await memberOf(
    { ...publisher, account: signer as never, stack },
    { kind: 'wallet', wallet, signer } as never,
    { isAlone: true },
  );
  device = makeDevice(publisher.trustRoot, [stack.url]);
  await publisher.publish('1.0.0', randomBytes(30_000));
  await publisher.promote('1.0.0');
});
afterAll(async () => {
  device.destroy();
  await destroyStack(stack);
});

function file(name: string, ...lines: readonly string[]): string {
  const path = join(stack.directory, name);
  writeFileSync(path, lines.join('\n'));
  return path;
}

const agent = async (...args: string[]) => {
  const outcome = await runCommand(firmproofAgent, [...args, '--config', device.configFile, '--json']);
  if (outcome.code !== 0) throw new Error(outcome.stderr);
  return JSON.parse(outcome.stdout);
};

describe('a vendor', () => {
  test('imports what the factory lists, and hears of every bad line before anything is sent', async () => {
    const [first, second] = [signingDevice(), signingDevice('ecdsa-p256-sha256')];
    const bad = file('bad.csv', 'device,key', `${first.id},${first.publicKey}`, 'x,y', `${second.id},z`);
    const refused = await desk.run('device', 'import', 'lamp', bad, '--json');
    expect(refused.code).toBe(2);
    const problem = JSON.parse(refused.stderr);
    expect(problem.code).toBe('factory-list-malformed');
    expect(problem.message).toMatch(/line 3: .*; line 4: /);
    expect(await desk.json('device', 'list', 'lamp')).toMatchObject({ enrolled: 0, devices: [] });
    const good = file('good.csv', 'device,key', `${first.id},${first.publicKey}`, `${second.id},${second.publicKey}`);
    expect(await desk.json('device', 'import', 'lamp', good)).toMatchObject({ devices: 2, added: 2, known: 0 });
    const list = join(stack.directory, 'devices.csv');
    await desk.json('device', 'export', 'lamp', '--to', list);
    const listed = parseDeviceList(readFileSync(list, 'utf8'));
    expect(listed.map(({ keyDigest }) => keyDigest).sort()).toEqual([first.keyDigest, second.keyDigest].sort());
    // What was exported can be anchored as it is.
    const anchored = await desk.json('device', 'anchor', 'lamp', '--from', list, '--yes', '--wait');
    expect(anchored).toMatchObject({ count: 2, state: 'confirmed' });
  });

  test('gives a claim token to a device, which enrols itself, updates and says so', async () => {
    const minted = await desk.json('device', 'claim-token', '--lifetime', '1h');
    const enrolled = await agent('identity', 'enrol', '--claim-token', String(minted['token']));
    expect(enrolled.enrolments).toMatchObject([{ state: 'enrolled' }]);
    await eventually(
      async () => (await device.check()).verdict,
      ({ outcome }) => outcome === 'update',
      'the release to be offered',
    );
    expect(await device.install()).toMatchObject({ outcome: 'installed' });
    expect(await device.report()).toBeNull();
    const shown = await desk.json('device', 'show', enrolled.device);
    expect(shown).toMatchObject({
      state: 'enrolled',
      enrolledBy: 'claim-token',
      hardware: 'rev-1',
      running: { version: '1.0.0' },
      outcome: { result: 'confirmed', version: '1.0.0' },
      seen: { sequence: expect.any(Number) },
      flags: [],
      anchor: { state: 'unanchored', leaf: expect.stringMatching(/^0x[0-9a-f]{64}$/) },
    });
    const text = await desk.run('device', 'list', 'lamp', '--state', 'enrolled');
    expect(text.stdout).toContain('3 enrolled, 1 of them heard');
    expect(text.stdout).toMatch(new RegExp(`${enrolled.device} +enrolled +1\\.0\\.0`));
  });

  test('counts them when a release is stopped at night', async () => {
    const stopped = await desk.run('stop', 'stable', '--product', 'lamp');
    expect(stopped.code, stopped.stderr).toBe(0);
    expect(stopped.stderr).toContain('1 of 3 enrolled devices have signed that they run 1.0.0');
    expect(stopped.stdout).toContain('1 of 3 enrolled ones run it');
    expect(stopped.stdout).toContain('next: firmproof promote --version V --channel stable with an older release');
    const again = await desk.run('promote', '--version', '1.0.0');
    expect(again.stderr).toContain('stable is halted at 1.0.0, and this promotion opens it again');
  });

  test('accepts a device that asks without a token, and rejects another', async () => {
    const asking = makeDevice(publisher.trustRoot, [stack.url]);
    try {
      const { code, stdout } = await runCommand(firmproofAgent, [
        ...['identity', 'enrol', '--config', asking.configFile, '--json'],
      ]);
      const answer = JSON.parse(stdout);
      expect({ code, answer }).toMatchObject({ answer: { enrolments: [{ state: 'pending' }] } });
      const pending = await desk.json('device', 'list', '--state', 'pending');
      expect(pending).toMatchObject({ pending: 1, devices: [{ device: answer.device }] });
      expect(await desk.json('device', 'accept', 'lamp', answer.device)).toMatchObject({ state: 'enrolled' });
      expect(await desk.json('device', 'reject', 'lamp', answer.device)).toMatchObject({ state: 'revoked' });
    } finally {
      asking.destroy();
    }
  });

  test.each([
    [['import', 'lamp', '/nowhere.csv'], 'file-not-found', 2],
    [['list', 'lamp', '--state', 'gone'], 'usage-invalid', 2],
    [['show', 'lamp', 'lamp-1'], 'device-not-found', 3],
    [['show'], 'usage-invalid', 2],
    [['claim-token', 'lamp', '--devices', '0'], 'usage-invalid', 2],
    [['claim-token', '--lifetime', '5s'], 'usage-invalid', 2],
  ] as const)('%j ends with what is wrong', async (args, code, exitCode) => {
    const outcome = await desk.run('device', ...args, '--json');
    expect(JSON.parse(outcome.stderr)).toMatchObject({ code });
    expect(outcome.code).toBe(exitCode);
  });
});
