// What people and configuration let a device do with a proven update.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceCode, ReleasePurpose } from '@firmproof/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { choiceOf, hold, postpone, releaseHold } from '../../../device-agent/src/policy/choice.ts';
import { parseDurationSeconds, parseTimeSeconds } from '../../../device-agent/src/policy/duration.ts';
import { maintenanceSchema, secondsToWindow } from '../../../device-agent/src/policy/maintenance.ts';
import { mayProceed, type PolicyStage } from '../../../device-agent/src/policy/may-proceed.ts';
import { expectCode } from '../../support/expect-code.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const at = (iso: string) => Date.parse(iso) / 1000;
const hour = 3600;

describe('maintenance windows', () => {
  const wait = (iso: string, maintenance: object) => secondsToWindow(maintenanceSchema.parse(maintenance), at(iso));
  const nightly = { windows: [{ from: '22:00', to: '04:30' }] };

  // 2026-11-25 is a Wednesday.
  test.each([
    ['2026-11-25T21:59:00Z', 60],
    ['2026-11-25T22:00:00Z', 0],
    ['2026-11-26T00:00:00Z', 0],
    ['2026-11-26T04:29:59Z', 0],
    ['2026-11-26T04:30:00Z', 17.5 * hour],
  ])('across midnight: %s', (iso, seconds) => expect(wait(iso, nightly)).toBe(seconds));

  test('that open on some days only, close on the next one', () => {
    const sunday = { windows: [{ days: ['sun'], from: '23:00', to: '01:00' }] };
    expect(wait('2026-11-29T23:30:00Z', sunday)).toBe(0);
    expect(wait('2026-11-30T00:59:00Z', sunday)).toBe(0);
    expect(wait('2026-11-30T23:30:00Z', sunday)).toBe(6 * 24 * hour - hour / 2);
    expect(wait('2026-11-25T23:00:00Z', sunday)).toBe(4 * 24 * hour);
  });

  test('are in the time of their offset', () => {
    const early = { windows: [{ from: '02:00', to: '03:00' }], utcOffset: '+05:30' };
    expect(wait('2026-11-24T20:30:00Z', early)).toBe(0);
    expect(wait('2026-11-24T21:30:00Z', early)).toBe(23 * hour);
    expect(wait('2026-11-25T05:30:00Z', { ...early, utcOffset: '-03:30' })).toBe(0);
  });

  test('from and to the same time are a whole day', () => {
    const saturday = { windows: [{ days: ['sat'], from: '06:00', to: '06:00' }] };
    expect(wait('2026-11-28T06:00:00Z', saturday)).toBe(0);
    expect(wait('2026-11-29T05:59:59Z', saturday)).toBe(0);
    expect(wait('2026-11-29T06:00:00Z', saturday)).toBe(6 * 24 * hour);
  });

  test('open after exactly the wait that was said, and not a second before, whenever and whatever is asked', () => {
    const time = fc
      .tuple(fc.nat(23), fc.nat(59))
      .map((parts) => parts.map((n) => String(n).padStart(2, '0')).join(':'));
    const day = fc.constantFrom('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun');
    const window = fc.record({ days: fc.array(day, { minLength: 1, maxLength: 3 }), from: time, to: time });
    fc.assert(
      fc.property(fc.array(window, { minLength: 1, maxLength: 3 }), fc.nat(4_000_000_000), (windows, now) => {
        const maintenance = maintenanceSchema.parse({ windows });
        const seconds = secondsToWindow(maintenance, now);
        expect(seconds).toBeLessThan(7 * 24 * hour);
        expect(secondsToWindow(maintenance, now + seconds)).toBe(0);
        if (seconds > 0) expect(secondsToWindow(maintenance, now + seconds - 1)).toBe(1);
        expect(secondsToWindow(maintenance, now + 7 * 24 * hour)).toBe(seconds);
      }),
    );
  });
});

describe('times that people write', () => {
  test.each([
    ['90m', 5400],
    ['12h', 12 * hour],
    ['3d', 72 * hour],
    ['2w', 336 * hour],
  ])('%s', (text, seconds) => expect(parseDurationSeconds(text)).toBe(seconds));
  test.each(['', '3', '0d', '-1h', '1.5h', '3 d', '3days', '1e3h', '9999999d'])('%j is no length of time', (text) =>
    expectCode('usage-invalid', () => parseDurationSeconds(text)),
  );
  test('a day is its beginning, a time has its offset', () => {
    expect(parseTimeSeconds('2027-01-31')).toBe(at('2027-01-31T00:00:00Z'));
    expect(parseTimeSeconds('2027-01-31T06:00+02:00')).toBe(at('2027-01-31T04:00:00Z'));
  });
  test.each(['', 'tomorrow', '2027', '2027-13-01', '2027-01-31T06:00', '31.1.2027'])('%j is no time', (text) =>
    expectCode('usage-invalid', () => parseTimeSeconds(text)),
  );
});

describe('a proven update', () => {
  let directory: string;
  let now: number;
  let standing: { code: string; sinceSeconds: number } | null;
  beforeEach(() => {
    directory = temporaryDirectory();
    now = at('2026-11-25T12:00:00Z');
    standing = null;
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const automatic = { security: 'automatic', feature: 'automatic' };
  const device = (config: object = {}) =>
    ({
      config: { dataDirectory: directory, updates: automatic, maximumPostponeHours: 48, ...config },
      clock: { nowSeconds: () => now },
      journal: {
        get entry() {
          return { standing };
        },
      },
    }) as never;
  const release = (purpose?: ReleasePurpose) =>
    ({ version: '2.0.0', attestation: { statement: { predicate: { ...(purpose && { purpose }) } } } }) as never;
  const code = async (
    config: object,
    stage: PolicyStage,
    purpose?: ReleasePurpose,
    askedForNow = false,
  ): Promise<DeviceCode | null> =>
    (await mayProceed(device(config), release(purpose), stage, { askedForNow }))?.code ?? null;
  const both = async (config: object, purpose?: ReleasePurpose) => [
    await code(config, 'download', purpose),
    await code(config, 'activation', purpose),
  ];

  test('goes on by itself', async () => expect(await both({})).toEqual([null, null]));

  test('waits for a person where the configuration says so, and one that does not say what it is for is a feature update', async () => {
    const notify = { updates: { security: 'automatic', feature: 'notify' } };
    expect(await both(notify)).toEqual(['update-not-automatic', 'update-not-automatic']);
    expect(await both(notify, 'feature')).toEqual(['update-not-automatic', 'update-not-automatic']);
    expect(await both(notify, 'security')).toEqual([null, null]);
    const download = { updates: { security: 'download', feature: 'automatic' } };
    expect(await both(download, 'security')).toEqual([null, 'update-not-automatic']);
    expect(await both(download)).toEqual([null, null]);
    expect(await code(notify, 'activation', 'feature', true)).toBeNull();
  });

  test('waits for the maintenance window, and is downloaded before it only where that is allowed', async () => {
    const windows = [{ from: '22:00', to: '02:00' }];
    const inside = { maintenance: maintenanceSchema.parse({ windows }) };
    const anytime = { maintenance: maintenanceSchema.parse({ windows, downloads: 'anytime' }) };
    const waits = 'outside-maintenance-window';
    expect(await both(inside)).toEqual([waits, waits]);
    expect(await both(anytime)).toEqual([null, waits]);
    expect((await mayProceed(device(inside), release(), 'download'))?.message).toContain('2026-11-25T22:00Z');
    expect(await code(inside, 'activation', undefined, true)).toBeNull();
    now = at('2026-11-26T01:59:59Z');
    expect(await both(inside)).toEqual([null, null]);
    now = at('2026-11-26T02:00:00Z');
    expect(await both(inside)).toEqual([waits, waits]);
  });

  test('is not downloaded over a metered connection; what is downloaded already is installed', async () => {
    const flag = join(directory, 'metered');
    const metered = { always: false, file: flag, securityUpdates: false };
    expect(await both({ metered })).toEqual([null, null]);
    writeFileSync(flag, '');
    expect(await both({ metered })).toEqual(['connection-metered', null]);
    expect(await both({ metered }, 'security')).toEqual(['connection-metered', null]);
    const withSecurity = { metered: { ...metered, securityUpdates: true } };
    expect(await both(withSecurity, 'security')).toEqual([null, null]);
    expect(await both(withSecurity, 'feature')).toEqual(['connection-metered', null]);
    expect(await code({ metered }, 'download', undefined, true)).toBeNull();
    const asked = (...command: string[]) => both({ metered: { always: false, command, securityUpdates: false } });
    expect(await asked('/bin/true')).toEqual(['connection-metered', null]);
    expect(await asked('/bin/false')).toEqual([null, null]);
    // A program that is missing must not stop updates for ever.
    expect(await asked('/nowhere/at-all')).toEqual([null, null]);
  });

  test('is held until it is released, whoever asks for it', async () => {
    await hold(device(), { untilSeconds: null, updates: 'all' });
    expect(await both({}, 'security')).toEqual(['update-held', 'update-held']);
    expect(await code({}, 'activation', 'security', true)).toBe('update-held');
    now += 10 * 365 * 24 * hour;
    expect(await both({})).toEqual(['update-held', 'update-held']);
    await releaseHold(device());
    expect(await both({})).toEqual([null, null]);
  });

  test('is held until the time that was said; features alone, where that was said', async () => {
    await hold(device(), { untilSeconds: now + hour, updates: 'feature' });
    expect(await both({}, 'security')).toEqual([null, null]);
    expect(await both({})).toEqual(['update-held', 'update-held']);
    now += hour;
    expect(await both({})).toEqual([null, null]);
    expect(choiceOf(device()).hold).toBeNull();
    await expectCode('usage-invalid', () => hold(device(), { untilSeconds: now, updates: 'all' }));
  });

  test('is postponed, so long as the configuration lets it: postponements of one update add up', async () => {
    expect(await postpone(device(), 24 * hour)).toBe(now + 24 * hour);
    expect(await both({}, 'security')).toEqual(['update-postponed', 'update-postponed']);
    expect(await code({}, 'download', undefined, true)).toBeNull();
    now += 20 * hour;
    expect(await postpone(device(), 28 * hour)).toBe(now + 28 * hour);
    await expectCode('postpone-too-long', () => postpone(device(), 29 * hour));
    now += 28 * hour;
    expect(await both({})).toEqual([null, null]);
    standing = { code: 'update-postponed', sinceSeconds: now };
    await expectCode('postpone-too-long', () => postpone(device(), hour));
    // Once that update is through, the next one may be postponed.
    standing = { code: 'already-installed', sinceSeconds: now };
    await postpone(device(), 48 * hour);
    await expectCode('postpone-too-long', () => postpone(device(), 49 * hour));
  });

  test('is held back by no file that cannot be read', async () => {
    writeFileSync(join(directory, 'choice.json'), '{"hold":');
    expect(await both({})).toEqual([null, null]);
  });
});
