// A06, A07, A08: somebody stops, hurries or makes up time, and a device that slept for years wakes in the middle of it.
import { addBuildKey } from '@firmproof/client';
import { sha256, type TrustRoot } from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { forgeEvidence } from '../support/forged-state.ts';
import type { EvidenceDocument } from '../support/lying-server.ts';
import { freshP256, rotate } from '../support/mover.ts';
import { eventually, stable } from '../support/stack.ts';
import { setWallClockAhead, travel } from '../support/time.ts';
import { startExpiredTls, type TlsFront } from '../support/tls-front.ts';

const daySeconds = 86_400;
/** 2100-01-01. */
const farAheadSeconds = 4_102_444_800;
const highestSequence = 2 ** 47;

let arena: Arena;
let tls: TlsFront;
const devices: TestDevice[] = [];
let root: TrustRoot;
let passedDays = 0;

function device(servers: readonly string[] = [arena.liar.url], change: object = {}): TestDevice {
  const made = makeDevice(arena.vendor.trustRoot, servers, change);
  devices.push(made);
  return made;
}

beforeAll(async () => {
  arena = await Arena.open();
  tls = await startExpiredTls(arena.stack.url);
  root = arena.vendor.trustRoot;
});
afterAll(async () => {
  setWallClockAhead(0);
  for (const made of devices) made.destroy();
  await tls.stop();
  await arena.close();
});

const told = (evidence: EvidenceDocument, to: TestDevice) =>
  arena.liar.lying({ evidence: () => evidence }, () => to.install());

/** What a quorum of liars vouches for: a state that never was, at a time of their choice. */
async function poison(change: { timestamp?: number; sequence?: number }, to: TestDevice): Promise<void> {
  const { release, block } = await arena.evidence();
  const { image, attestation } = release;
  const sequence = change.sequence ?? (await to.status()).sequence ?? 0;
  const { history } = (await to.act(({ journal }) => journal.entry.lastProven)) ?? {};
  const evidence = await forgeEvidence(
    {
      trustRoot: arena.vendor.trustRoot,
      channel: stable,
      version: '6.6.6' as never,
      image,
      attestation,
      sequence,
      ...(history && { history }),
    },
    change.timestamp ?? block.timestamp,
    arena.cosign(1, 2),
  );
  await expect(told(evidence, to)).resolves.toMatchObject({ outcome: 'refused', code: 'statement-version' });
}

/** The device runs 1.0.0, which was the head when it was made. */
async function deviceOfThen(change: object = {}): Promise<TestDevice> {
  const made = device([arena.liar.url], change);
  await told(arena.old, made);
  expect(made.running()).toBe(sha256(arena.images['1.0.0']));
  return made;
}

/** Time passes: on the chain, on the server's clock, and on the devices that are on. */
async function pass(days: number, ...awake: TestDevice[]): Promise<void> {
  const before = (await arena.evidence()).block.timestamp;
  await travel(arena.stack, days * daySeconds);
  passedDays += days;
  setWallClockAhead(passedDays * daySeconds);
  for (const each of awake) each.sleep(days);
  await eventually(
    () => arena.evidence(),
    ({ block }) => block.timestamp >= before + days * daySeconds,
    'evidence of then',
  );
}

const verdictOf = async (of: TestDevice) => (await of.check()).verdict;
const updates = (of: TestDevice) =>
  expect(of.install()).resolves.toMatchObject({ outcome: 'installed', version: '2.0.0' });

describe('A08 a wrong clock', () => {
  /** The real agent, in a process whose wall clock says something else. */
  const runAt = (date: string, of: TestDevice, command: string) => {
    const shifted = `const R = Date, d = R.parse('${date}') - R.now(); globalThis.Date = class extends R { constructor(...a) { a.length ? super(...a) : super(R.now() + d) } static now() { return R.now() + d } }`;
    const NODE_OPTIONS = `--import "data:text/javascript,${encodeURIComponent(shifted)}"`;
    return runCommand(firmproofAgent, [command, '--json', '--config', of.configFile], { NODE_OPTIONS });
  };

  test.each(['1970-01-01T00:00:00Z', '2100-01-01T00:00:00Z'])(
    'of %s stops nothing, nor does the certificate of a server that ran out: it is noted',
    async (date) => {
      const made = device([tls.url]);
      const { code, stdout, stderr } = await runAt(date, made, 'install');
      expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, outcome: 'installed', version: '2.0.0' });
      expect(stderr).toMatch(
        /^certificate-invalid: https:\/\/127\.0\.0\.1:\d+\/: \w*CERT\w*; went on, since nothing rests on it$/m,
      );
      const status = JSON.parse((await runAt(date, made, 'status')).stdout);
      expect(status.sources).toMatchObject([{ penalty: 0, certificateProblem: expect.stringContaining('CERT') }]);
      const { block } = await arena.evidence();
      expect(Math.abs(Date.parse(status.trustedTime) / 1000 - block.timestamp)).toBeLessThan(daySeconds);
    },
  );
});

describe('A06 freeze', () => {
  test('evidence that grows old is stale, by a verdict of its own, however long it is served', async () => {
    const frozen = await deviceOfThen();
    const document = await arena.evidence();
    expect(await arena.liar.lying({ evidence: () => document }, () => verdictOf(frozen))).toMatchObject({
      outcome: 'update',
    });
    for (const days of [8, 92, 700]) {
      frozen.sleep(days);
      await arena.resists('stale', () => told(document, frozen), frozen);
      expect((await frozen.status()).lastVerdict).toMatchObject({ outcome: 'unproven', code: 'stale' });
    }
    expect(frozen.running()).toBe(sha256(arena.images['1.0.0']));
  });

  test('older evidence is no way round it', async () => {
    const frozen = await deviceOfThen();
    expect(await verdictOf(frozen)).toMatchObject({ outcome: 'update' });
    frozen.sleep(100);
    await arena.resists('stale', () => told(arena.old, frozen), frozen);
  });
});

describe('A07 fast-forward', () => {
  let hurried: TestDevice;
  let counted: TestDevice;
  let both: TestDevice;
  let misbuilt: TestDevice;

  beforeAll(async () => {
    hurried = await deviceOfThen();
    counted = await deviceOfThen();
    both = await deviceOfThen();
    misbuilt = device([arena.liar.url], {
      image: { version: '0.0.1', rollbackIndex: 0, buildTimeSeconds: farAheadSeconds },
    });
    await poison({ timestamp: farAheadSeconds }, hurried);
    await poison({ sequence: highestSequence }, counted);
    await poison({ timestamp: farAheadSeconds, sequence: highestSequence }, both);
  });

  test('freezes a device, which keeps running its image and says why', async () => {
    for (const [poisoned, code] of [
      [hurried, 'stale'],
      [both, 'stale'],
      [counted, 'sequence-rollback'],
      [misbuilt, 'stale'],
    ] as const) {
      const before = poisoned.running();
      await arena.resists(code, () => poisoned.install(), poisoned);
      expect((await poisoned.status()).lastVerdict).toMatchObject({ code });
      expect(poisoned.running()).toBe(before);
    }
  });

  test('of a counter ends with the next trust root that the chain names', async () => {
    for (const key of [freshP256(), freshP256(), freshP256()]) {
      root = await rotate(arena.stack, arena.vendor, root, [addBuildKey(publicKeyOf(key))], [arena.vendor.rootKey]);
    }
    await eventually(
      () => arena.evidence(),
      ({ trustRoots }) => trustRoots.length === 3,
      'evidence with the new trust roots',
    );
    await updates(counted);
    expect(await counted.status()).toMatchObject({ trustRootVersion: 4 });
  });

  test('of the time lasts no longer than 90 days of device time in which nothing verifies', async () => {
    const poisoned = [hurried, both, misbuilt];
    await pass(89, ...poisoned);
    for (const each of poisoned) await arena.resists('stale', () => each.install(), each);
    await pass(2, ...poisoned);
    for (const each of poisoned) {
      await updates(each);
      const { trustedTime, trustRootVersion } = await each.status();
      expect(trustRootVersion).toBe(4);
      expect(Math.abs(Date.parse(trustedTime) / 1000 - (await arena.evidence()).block.timestamp)).toBeLessThan(
        daySeconds,
      );
      expect(await verdictOf(each)).toMatchObject({ outcome: 'current' });
    }
  });
});

describe('a device that was switched off for two years', () => {
  test('and has no clock walks through all trust roots to the newest release', async () => {
    const sleeper = device();
    await told(arena.old, sleeper);
    await pass(2 * 365);
    expect(await sleeper.status()).toMatchObject({ trustRootVersion: 1 });
    await updates(sleeper);
    expect(await sleeper.status()).toMatchObject({ trustRootVersion: 4, daysInSilence: 0 });
  });

  test('and was shown the old evidence first comes to the same end', async () => {
    const sleeper = device();
    const { old } = arena;
    await told(old, sleeper);
    expect(sleeper.running()).toBe(sha256(arena.images['1.0.0']));
    await updates(sleeper);
    await arena.resists('stale', () => told(old, sleeper), sleeper);
  });
});
