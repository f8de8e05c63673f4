import { rmSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createClock, type MonotonicTime } from '../../../device-agent/src/clock.ts';
import { Journal } from '../../../device-agent/src/journal.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const buildTimeSeconds = 1_700_000_000;
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
    time: { seconds: buildTimeSeconds, bootId: '', uptimeSeconds: 0, silentSeconds: 0 },
    trustRoot: null,
    failed: [],
    lastVerdict: null,
  } as never);
});
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

const open = () => {
  const { bootId } = machine;
  const time: MonotonicTime = { bootId, uptimeSeconds: () => machine.up };
  return createClock(journal, buildTimeSeconds, time);
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
