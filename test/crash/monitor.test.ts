// The monitor as a process: killed, refused, ended; and a crash at each of its commits.
import { randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Address, parseVersion } from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproof, runCommand } from '../support/command.ts';
import { codesOf, Monitored } from '../support/monitored.ts';
import { destroyStack, type Stack, stable, startStack } from '../support/stack.ts';
import { mixedTeam, walletSigner } from '../support/team.ts';
import { makeTeam, type TeamVendor } from '../support/team-vendor.ts';

let stack: Stack;
let team: TeamVendor;
let monitored: Monitored;
const signers = mixedTeam();
const backup = walletSigner();

const finalise = () => createRpc(stack.rpcUrl)('anvil_mine', ['0x3']);
const stateDirectory = () => join(monitored.directory, 'monitor-state');

async function publish(version: string): Promise<void> {
  const proposal = await team.propose(version, randomBytes(500));
  await team.approve(proposal, signers[1]);
  await team.settle(proposal);
  await finalise();
}

beforeAll(async () => {
  stack = await startStack();
  const change = { recoverySigners: [backup.signer], recoveryThreshold: 1 };
  team = await makeTeam(stack, { name: 'prime-hub', signers, change });
  await finalise();
  monitored = await Monitored.start({
    rpc: [stack.rpcUrl],
    products: [
      {
        product: team.product,
        chainId: stack.info.chainId,
        registry: stack.info.registry,
        announced: 'announced.txt',
        // The third of the team is not expected to approve anything.
        expectedSigners: [signers[0].signer, signers[1].signer],
      },
    ],
  });
  await monitored.once();
});
afterAll(async () => {
  await monitored.stop();
  rmSync(monitored.directory, { recursive: true, force: true });
  await destroyStack(stack);
});

describe('a daemon', () => {
  test('is killed between sending and noting it, goes on with the same id, and outlives a receiver that is down', async () => {
    await publish('1.0.0');
    const sent = new Promise<void>((resolve) => {
      monitored.receiver.onMessage = async (_, response) => {
        monitored.receiver.onMessage = () => false;
        resolve();
        await killed;
        response.destroy();
        return true;
      };
    });
    const first = monitored.run();
    const killed = sent.then(() => first.kill('SIGKILL'));
    expect(await killed).toEqual({ code: null, signal: 'SIGKILL' });
    const second = monitored.run('--json');
    await waitFor(() => monitored.receiver.received.length >= 2);
    const ids = monitored.receiver.received.map(({ id }) => id);
    expect(ids).toEqual([ids[0], ids[0]]);
    expect(codesOf(monitored.fresh())).toEqual(['release-unannounced', 'release-unannounced']);

    // It goes on while nobody takes its alerts; no other may work with its state; and it ends when it is told to.
    monitored.receiver.onMessage = (_, response) => Boolean(response.writeHead(503).end());
    await publish('1.1.0');
    await second.says('webhook: not delivered: it answers 503');
    const other = monitored.run();
    expect(await other.exit).toMatchObject({ code: 2 });
    expect(other.stderr).toMatch(/^monitor-running: process \d+ follows/);
    expect(await second.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(existsSync(join(stateDirectory(), 'lock'))).toBe(false);
    monitored.receiver.onMessage = () => false;
    monitored.fresh();
    expect(codesOf(await monitored.look())).toEqual(['-delivery-failing', 'delivery-failing', 'release-unannounced']);
    expect(await monitored.look()).toEqual([]);
  });
});

/** Ends this process's monitor as a power cut would, where its commit of that number begins. Answers whether there was one. */
async function crashAt(commit: number): Promise<boolean> {
  const { exec } = DatabaseSync.prototype;
  let commits = 0;
  let crashed = false;
  DatabaseSync.prototype.exec = function (sql) {
    if (sql === 'commit') commits += 1;
    crashed ||= commits === commit;
    if (crashed) throw new Error('the process is gone');
    exec.call(this, sql);
  };
  try {
    await monitored.once().catch(() => undefined);
  } finally {
    DatabaseSync.prototype.exec = exec;
  }
  return crashed;
}

test('a crash at every commit loses no alert, and repeats one only with its id', async () => {
  const before = join(monitored.directory, 'before');
  cpSync(stateDirectory(), before, { recursive: true });
  await publish('2.0.0');
  const promote = async (version: string, by: (typeof signers)[number]) => {
    const proposal = await team.vendor.promote(team.product, stable, parseVersion(version));
    await team.approve(proposal, by);
    await team.settle(proposal);
  };
  await promote('2.0.0', signers[2]);
  await promote('1.1.0', signers[1]);
  await finalise();
  // One by the state of things, one by an event, one by what is looked up after it.
  const expected = ['approval-unexpected', 'head-moved-backwards', 'release-unannounced'];
  let commit = 0;
  for (let crashed = true; crashed; ) {
    commit += 1;
    rmSync(stateDirectory(), { recursive: true });
    cpSync(before, stateDirectory(), { recursive: true });
    crashed = await crashAt(commit);
    await monitored.once();
    const got = monitored.fresh();
    const once = [...new Map(got.map((alert) => [alert.id, alert])).values()];
    expect(codesOf(once), `commit ${commit}`).toEqual(expected);
    // What was sent and is not noted yet is sent again, and nothing else.
    expect(got.length - once.length, `commit ${commit}`).toBeLessThanOrEqual(1);
  }
  expect(commit).toBeGreaterThan(8);
});

describe('the keys of a vendor account', () => {
  const change = (threshold: number, epoch: number) => ({
    signers: signers.map(({ signer }) => signer),
    threshold,
    passkeysAlone: false,
    epoch,
    deadline: Math.floor(Date.now() / 1000) + 3600,
  });

  test('that change, and a recovery that is announced and cancelled', async () => {
    const { client } = team.vendor;
    const account: Address = team.account;
    const settle = async (
      proposal: Awaited<ReturnType<typeof client.changeAccount>>,
      ...by: (typeof signers)[number][]
    ) => {
      await team.approve(proposal, ...by);
      await team.settle(proposal);
      await finalise();
    };
    const { epoch } = await client.account(account);
    await settle(
      await client.changeAccount('set-signers', account, { message: change(3, epoch + 1), approvals: [] }),
      ...signers,
    );
    const [changed, ...more] = await monitored.look();
    expect(more).toEqual([]);
    expect(changed).toMatchObject({
      code: 'signers-changed',
      message: expect.stringMatching(/now 3 of .* before 2 of /),
    });
    const announced = await client.changeAccount('schedule-recovery', account, {
      message: change(1, epoch + 2),
      approvals: [],
    });
    await settle(announced, backup as never);
    expect(codesOf(await monitored.look())).toEqual(['recovery-pending']);
    const { pendingRecovery } = await client.account(account);
    const message = { pending: pendingRecovery?.hash, deadline: Math.floor(Date.now() / 1000) + 3600 };
    await settle(await client.changeAccount('cancel-recovery', account, { message, approvals: [] }), ...signers);
    expect(codesOf(await monitored.look())).toEqual(['-recovery-pending']);
  });
});

test('the command: exit codes, announcements, a configuration that is shown without its secrets', async () => {
  const config = ['--config', monitored.configFile];
  const monitor = (...args: readonly string[]) => runCommand(firmproof, ['monitor', ...args]);
  appendFileSync(monitored.announced, '1.0.0\n1.1.0\n');
  expect((await monitor('announce', '2.0.0', ...config)).code).toBe(0);
  const over = await monitor('--once', '--json', ...config);
  expect(over.code).toBe(0);
  const lines = over.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(codesOf(lines)).toEqual(Array(3).fill('-release-unannounced'));
  const shown = await monitor('--check-config', '--json', ...config);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    products: [{ product: team.product, announced: 3, expectedSigners: 2, nodes: [new URL(stack.rpcUrl).host] }],
    alerts: [{ name: 'webhook', to: new URL(monitored.receiver.url).host }],
  });
  expect(`${shown.stdout}${shown.stderr}`).not.toMatch(/whsec_|path-that-is-secret/);
  const nowhere = { rpc: ['http://127.0.0.1:9/path-that-is-secret'] };
  monitored.change({ ...nowhere, patience: { carrierSeconds: 3600 } });
  expect(await monitor('--once', ...config)).toMatchObject({ code: 7, stdout: '' });
  monitored.change({ ...nowhere, patience: { carrierSeconds: 0 } });
  const unreachable = await monitor('--once', ...config);
  expect(unreachable.code).toBe(5);
  expect(unreachable.stdout).toMatch(/^ALERT: .*\[no-quorum\]$/m);
  expect(`${unreachable.stdout}${unreachable.stderr}`).not.toContain('path-that-is-secret');
  // Told once; named for whoever looks again.
  const again = await monitor('--once', ...config);
  expect(again).toMatchObject({ code: 5, stdout: '' });
  expect(again.stderr).toMatch(/^still ALERT: .*\[no-quorum\]$/m);
});

async function waitFor(fits: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!fits()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
