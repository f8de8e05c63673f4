// A33: a crash at every disk operation of an update. The operations of a real update are watched; every disk that a crash
// can leave is made, and a device that starts from it has to run a whole image at once, and the new one in the end.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InstallResult, install, openAgent, readConfig, statusOf } from '@firmproof/device-agent';
import { sha256 } from '@firmproof/protocol';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CrashedDisk, crashesOf } from '../support/disk/crashes.ts';
import { type Operation, shapeAfter, treeOf } from '../support/disk/model.ts';
import { digestOfTree, readNode, writeTree } from '../support/disk/tree.ts';
import { type DiskWatch, watchDisk } from '../support/disk/watch.ts';
import { RecordedRelease } from '../support/recorded-release.ts';
import { temporaryDirectory } from '../support/stack.ts';

const minutes = 60_000;
const patience = { timeout: 15 * minutes };

let release: RecordedRelease;
let scratch: string;
beforeAll(async () => {
  scratch = temporaryDirectory();
  // Two blocks, so that a download can be interrupted between them.
  release = await RecordedRelease.record(randomBytes(100_000), randomBytes(1_100_000));
});
afterAll(async () => {
  await release.close();
  rmSync(scratch, { recursive: true, force: true });
});

const imageThatRuns = (directory: string) => sha256(readFileSync(join(directory, 'slots', 'current')));

/** Each round is another boot of the machine. */
async function round(
  directory: string,
  boot: number,
): Promise<{ result: InstallResult; state: string; version: string }> {
  const time = { bootId: `boot-${boot}`, uptimeSeconds: () => 10 };
  const agent = await openAgent(readConfig(join(directory, 'agent.json')), time);
  try {
    const result = await install(agent);
    const { state, installed } = await statusOf(agent);
    return { result, state, version: installed.version };
  } finally {
    agent.close();
  }
}

/** An update on a device of its own, watched. */
async function watchUpdate(change: object = {}): Promise<{ watch: DiskWatch; result: InstallResult; entries: number }> {
  const directory = release.copyOfDevice(change);
  let entries = 0;
  const watch = watchDisk(directory, (what) => {
    if (what.startsWith('promises.rename') && what.endsWith('/journal.json.new')) entries += 1;
  });
  const { result } = await round(directory, 0).finally(() => watch.stop());
  // Nothing has gone by the watch: what it was told makes the same disk, and nothing was written elsewhere.
  const told = treeOf(shapeAfter(watch.root, watch.operations));
  expect(digestOfTree(told)).toBe(digestOfTree(treeOf(shapeAfter(readNode(directory), []))));
  expect(watch.strays).toEqual([]);
  rmSync(directory, { recursive: true });
  return { watch, result, entries };
}

/** After a reboot another process, if any, has the number of the one that held the lock. */
function rebootInto(directory: string): void {
  const lock = join(directory, 'data', 'agent.pid');
  if (existsSync(lock)) writeFileSync(lock, `${process.pid} another-boot 1`);
}

/** Boots a disk until there is nothing left to do; a whole image runs at every moment. */
async function survive(directory: string, ends: (version: string, result: InstallResult) => boolean): Promise<void> {
  rebootInto(directory);
  for (let boot = 1; ; boot += 1) {
    expect([release.before, release.after]).toContain(imageThatRuns(directory));
    const { result, state, version } = await round(directory, boot);
    if (state === 'idle' && ends(version, result)) return;
    expect(boot, `it goes on: ${JSON.stringify(result)}`).toBeLessThan(4);
  }
}

/** Answers what did not survive. */
async function tryAll(
  disks: readonly CrashedDisk[],
  ends: Parameters<typeof survive>[1],
  image: string,
): Promise<string[]> {
  const lost: string[] = [];
  for (const { tree, after, how } of disks) {
    const directory = join(scratch, 'device');
    writeTree(tree, directory);
    try {
      await survive(directory, ends);
      expect(imageThatRuns(directory)).toBe(image);
    } catch (error) {
      lost.push(`after operation ${after} (${how}): ${error instanceof Error ? error.message : String(error)}`);
    }
    rmSync(directory, { recursive: true });
  }
  return lost;
}

const isInstalled = (version: string) => version === '2.0.0';
const isGivenUp = (_: string, { outcome, ...rest }: InstallResult) =>
  outcome === 'rolled-back' || ('code' in rest && rest.code === 'version-failed-here');

const report = (what: string, of: DiskWatch, crashes: number, tried: number, lost: number) =>
  console.log(
    `${what}: ${of.calls()} calls, ${of.operations.length} disk operations; ${crashes} crashes leave ${tried} different disks; ${tried - lost} of them survived`,
  );

/** The first operation that moves the link to another image. */
const firstSwitch = (operations: readonly Operation[]) =>
  operations.findIndex(
    (operation) => operation.kind === 'names' && operation.entries.some(({ name }) => name === 'current'),
  );

describe('a crash at every disk operation', () => {
  test('of an update: the new image runs in the end', patience, async () => {
    const { watch, result } = await watchUpdate();
    expect(result).toEqual({ outcome: 'installed', version: '2.0.0' });
    const { disks, crashes } = crashesOf(watch.root, watch.operations);
    const lost = await tryAll(disks, isInstalled, release.after);
    report('update', watch, crashes, disks.length, lost.length);
    expect(lost).toEqual([]);
    expect(disks.length).toBeGreaterThan(200);
  });

  test('of an update that is rolled back: the image before runs in the end', patience, async () => {
    const { watch, result } = await watchUpdate({ health: { command: ['/bin/false'] } });
    expect(result).toMatchObject({ outcome: 'rolled-back', code: 'health-check-failed' });
    // Up to there it is the update above.
    const { disks, crashes } = crashesOf(watch.root, watch.operations, { from: firstSwitch(watch.operations) });
    const lost = await tryAll(disks, isGivenUp, release.before);
    report('rollback', watch, crashes, disks.length, lost.length);
    expect(lost).toEqual([]);
    expect(disks.length).toBeGreaterThan(50);
  });
});

describe('SIGKILL', () => {
  let bundle: string;
  beforeAll(async () => {
    bundle = join(scratch, 'firmproof-agent.mjs');
    await build({
      entryPoints: [new URL('../../device-agent/src/cli/main.ts', import.meta.url).pathname],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: { js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);" },
    });
  });

  /** Answers whether the process came so far as to be killed; the device survives it in any case. */
  async function killAndSurvive(environment: Record<string, string>): Promise<boolean> {
    const directory = release.copyOfDevice();
    const signal = await runKilled(bundle, directory, environment);
    await survive(directory, isInstalled);
    expect(imageThatRuns(directory), JSON.stringify(environment)).toBe(release.after);
    rmSync(directory, { recursive: true });
    return signal === 'SIGKILL';
  }

  test('before and after every entry of the journal: the new image runs in the end', patience, async () => {
    const { entries } = await watchUpdate();
    for (let entry = 1; entry <= entries; entry += 1)
      for (const when of ['before', 'after']) {
        const environment = { FIRMPROOF_TEST_ENTRY: String(entry), FIRMPROOF_TEST_WHEN: when };
        expect(await killAndSurvive(environment), `${when} entry ${entry}`).toBe(true);
      }
    console.log(`SIGKILL: ${entries} entries of the journal; ${2 * entries} processes killed, all devices survived`);
  });

  // Some hundred processes: `npm run test:crash`. The disks that they leave are among those of the tests above.
  test.runIf(process.env['FIRMPROOF_TEST_EVERY_CALL'])(
    'before every call of the disk: the new image runs in the end',
    patience,
    async () => {
      let call = 1;
      while (await killAndSurvive({ FIRMPROOF_TEST_CALL: String(call) })) call += 1;
      console.log(`SIGKILL: ${call - 1} calls of the disk; ${call - 1} processes killed, all devices survived`);
      expect(call).toBeGreaterThan(200);
    },
  );
});

async function runKilled(bundle: string, directory: string, environment: Record<string, string>): Promise<unknown> {
  const preload = new URL('../support/disk/kill.ts', import.meta.url).pathname;
  const args = ['--import', preload, bundle, 'install', '--json', '--config', join(directory, 'agent.json')];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], FIRMPROOF_TEST_DISK: directory, ...environment },
  });
  const [, signal] = await once(child, 'exit');
  return signal;
}
