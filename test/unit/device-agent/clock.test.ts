import { rmSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createClock, type MonotonicTime, timeAtFirstBoot } from '../../../device-agent/src/clock.ts';
import { Journal } from '../../../device-agent/src/journal.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const buildTimeSeconds = 1_700_000_000;
const madeAtSeconds = buildTimeSeconds - 3600;
const daySeconds = 86_400;
const directories: string[] = [];
let journal: Journal;
let machine: { bootId: string; up: number };

beforeEach(async () => {
  const directory = temporaryDirectory();
  directories.push(directory);
  machine = { bootId: 'first', up: 100 };
  journal = await Journal.open(directory, {
    state: 'idle',
    target: null,
    trialDeadlineSeconds: null,
    installed: { version: '1.0.0', image: null },
    rollbackFloor: 0,
    lastProven: null,
    time: timeAtFirstBoot(madeAtSeconds, buildTimeSeconds),
    trustRoot: null,
    failed: [],
    lastVerdict: null,
  } as never);
});
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

const open = (build = buildTimeSeconds) => {
  const { bootId } = machine;
  const time: MonotonicTime = { bootId, uptimeSeconds: () => machine.up };
  return createClock(journal, build, time);
};
const remember = (time: Journal['entry']['time']) => journal.write({ time });

describe('the silence', () => {
  test('is what has passed since evidence verified, over boots', async () => {
    await remember(open().proven(buildTimeSeconds + 5, { isNewRoot: false }));
    machine.up += 10 * daySeconds;
    expect(open().silentSeconds()).toBe(10 * daySeconds);
    await remember(open().snapshot());
    machine = { bootId: 'second', up: 3 * daySeconds };
    expect(open().silentSeconds()).toBe(13 * daySeconds);
    await remember(open().proven(buildTimeSeconds + 5, { isNewRoot: false }));
    expect(open().silentSeconds()).toBe(0);
  });

  test('is not what dates say: neither a late build, nor a block far ahead, nor the wall clock adds to it', async () => {
    await remember(open().proven(buildTimeSeconds + 4000 * daySeconds, { isNewRoot: false }));
    expect(open().nowSeconds()).toBe(buildTimeSeconds + 4000 * daySeconds);
    expect(open().silentSeconds()).toBe(0);
    const late = createClock(journal, buildTimeSeconds * 2, { bootId: 'first', uptimeSeconds: () => machine.up });
    expect(late.silentSeconds()).toBe(0);
    const before = [open().nowSeconds(), open().silentSeconds()];
    for (const date of ['1970-01-01', '2100-01-01']) {
      vi.useFakeTimers({ toFake: ['Date'], now: new Date(date) });
      expect([open().nowSeconds(), open().silentSeconds()]).toEqual(before);
      vi.useRealTimers();
    }
  });

  test('does not go back when the uptime does within a boot', async () => {
    await remember(open().snapshot());
    machine.up = 1;
    expect(open().silentSeconds()).toBe(0);
  });
});

describe('time that starts again', () => {
  test('does so where the root was made, never later than now, never before the build; the silence goes on', async () => {
    await remember(open().proven(buildTimeSeconds + 1000, { isNewRoot: false }));
    machine.up += 100 * daySeconds;
    const clock = open();
    const now = clock.nowSeconds();
    expect(clock.startAgain(buildTimeSeconds + 50)).toMatchObject({ seconds: buildTimeSeconds + 50 });
    expect(clock.startAgain(now + 4000 * daySeconds)).toMatchObject({ seconds: now });
    expect(clock.startAgain(0)).toMatchObject({ seconds: buildTimeSeconds, silentSeconds: 100 * daySeconds });
  });

  test('goes back to the block that named the root', () => {
    expect(open().proven(buildTimeSeconds + 3, { isNewRoot: true })).toMatchObject({ seconds: buildTimeSeconds + 3 });
  });
});

const yearSeconds = 365 * daySeconds;
const weekSeconds = 7 * daySeconds;
/** 2100-01-01. */
const farAheadSeconds = 4_102_444_800;
const poisoned = (blockSeconds = farAheadSeconds) => open().proven(blockSeconds, { isNewRoot: false });
const honestBlock = () => buildTimeSeconds + machine.up;

describe('a timestamp that was made up (D40)', () => {
  beforeEach(() => remember(open().proven(honestBlock(), { isNewRoot: false })));

  test('is believed once a quorum vouches for it, and doubted after 90 days in which nothing verifies', async () => {
    await remember(poisoned());
    expect(open().nowSeconds()).toBe(farAheadSeconds);
    machine.up += 89 * daySeconds;
    expect(open().withoutLastJump(honestBlock(), weekSeconds)).toBeNull();
    machine.up += 2 * daySeconds;
    const time = open().withoutLastJump(honestBlock(), weekSeconds);
    expect(time).toMatchObject({ seconds: honestBlock(), doubt: null });
    await remember(time as never);
    expect(open().nowSeconds()).toBe(honestBlock());
  });

  test('is doubted over boots too, and however often the agent writes its journal', async () => {
    await remember(poisoned());
    for (let day = 0; day < 91; day += 1) {
      machine = { bootId: `boot ${day}`, up: daySeconds };
      await remember(open().snapshot());
    }
    const honest = buildTimeSeconds + 91 * daySeconds;
    expect(open().withoutLastJump(honest, weekSeconds)?.seconds).toBeGreaterThanOrEqual(honest);
  });

  test('is found out as well where it came in several jumps', async () => {
    await remember(poisoned(buildTimeSeconds + 3 * yearSeconds));
    await remember(poisoned());
    machine.up += 91 * daySeconds;
    expect(open().withoutLastJump(honestBlock(), weekSeconds)).not.toBeNull();
  });

  test('is not doubted where the time is right: a block from after the jump is simply old', async () => {
    const woken = buildTimeSeconds + 2 * yearSeconds;
    await remember(poisoned(woken));
    machine.up += 91 * daySeconds;
    expect(open().withoutLastJump(woken, weekSeconds)).toBeNull();
    expect(open().withoutLastJump(woken + 20 * daySeconds, weekSeconds)).toBeNull();
  });

  test('does not let blocks in that would be too old without the jump as well', async () => {
    await remember(poisoned());
    machine.up += 91 * daySeconds;
    expect(open().withoutLastJump(honestBlock() - weekSeconds - 1, weekSeconds)).toBeNull();
    expect(open().withoutLastJump(honestBlock() - weekSeconds + 60, weekSeconds)).not.toBeNull();
  });

  test('is no matter where no jump was: a device that counted its time itself stays sure of it', async () => {
    for (let day = 0; day < 200; day += 1) {
      machine.up += daySeconds;
      await remember(open().snapshot());
    }
    expect(open().withoutLastJump(buildTimeSeconds, yearSeconds)).toBeNull();
  });

  test('of a jump that 90 days of evidence have confirmed stays, whatever comes later', async () => {
    await remember(poisoned());
    for (let day = 0; day <= 90; day += 1) {
      machine.up += daySeconds;
      await remember(open().proven(farAheadSeconds + day * daySeconds, { isNewRoot: false }));
    }
    machine.up += 91 * daySeconds;
    expect(open().withoutLastJump(honestBlock(), weekSeconds)).toBeNull();
  });
});

describe('a build time that was made up', () => {
  const wrongBuild = farAheadSeconds;

  test('is doubted likewise, and forgotten', async () => {
    await remember(timeAtFirstBoot(madeAtSeconds, wrongBuild));
    await remember(open(wrongBuild).snapshot());
    expect(open(wrongBuild).nowSeconds()).toBeGreaterThanOrEqual(wrongBuild);
    machine.up += 91 * daySeconds;
    const honest = honestBlock();
    await remember(open(wrongBuild).withoutLastJump(honest, weekSeconds) as never);
    expect(open(wrongBuild).nowSeconds()).toBe(honest);
    await remember(open(wrongBuild).proven(honest + 60, { isNewRoot: false }));
    expect(open(wrongBuild).nowSeconds()).toBe(honest + 60);
    expect(open(honest + yearSeconds).nowSeconds()).toBe(honest + yearSeconds);
  });

  test('of a later image is a jump as well', async () => {
    await remember(open().proven(honestBlock(), { isNewRoot: false }));
    await remember(open(wrongBuild).snapshot());
    machine.up += 91 * daySeconds;
    expect(open(wrongBuild).withoutLastJump(honestBlock(), weekSeconds)).toMatchObject({
      wrongBuildTimeSeconds: wrongBuild,
    });
  });
});
