import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countRetries, noRetries, type Retries, waitAtStart, waitSeconds } from '../../../device-agent/src/backoff.ts';

const pollHours = 6;
const pollSeconds = pollHours * 3600;
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const codes = ['unavailable', 'no-quorum', 'stale', 'head-revoked', 'equivocation', 'storage-proof-invalid'] as const;

describe('the wait until the next check', () => {
  test('is the poll interval, give or take half of it, while all is well', () => {
    fc.assert(
      fc.property(random, (value) => {
        const seconds = waitSeconds(pollHours, noRetries, value);
        expect(seconds).toBeGreaterThanOrEqual(pollSeconds / 2);
        expect(seconds).toBeLessThanOrEqual(pollSeconds * 1.5);
      }),
    );
  });

  test('grows with each failure of a kind, never beyond the poll interval, whatever the code and the luck', () => {
    fc.assert(
      fc.property(fc.constantFrom(...codes), fc.integer({ min: 1, max: 1000 }), random, (code, count, luck) => {
        const wait = (times: number) => waitSeconds(pollHours, { code, count: times }, luck);
        expect(wait(count)).toBeGreaterThan(0);
        expect(wait(count)).toBeLessThanOrEqual(pollSeconds * 1.5);
        expect(wait(count + 1)).toBeGreaterThanOrEqual(wait(count));
      }),
    );
  });

  test.each([
    ['unavailable', 120],
    ['no-quorum', 300],
    ['stale', 900],
    ['head-revoked', 1800],
    ['equivocation', 7200],
    ['storage-proof-invalid', 900],
  ])('after the first %s is %i s on the average, then twice that', (code, seconds) => {
    expect(waitSeconds(pollHours, { code, count: 1 }, 0.5)).toBe(seconds);
    expect(waitSeconds(pollHours, { code, count: 2 }, 0.5)).toBe(Math.min(pollSeconds, 2 * seconds));
  });
});

describe('retries', () => {
  test('are counted for each verdict by itself, and start again when another comes', () => {
    const twice = countRetries(countRetries(noRetries, refusedWith('stale')), refusedWith('stale'));
    expect(twice).toEqual({ code: 'stale', count: 2 });
    expect(countRetries(twice, refusedWith('no-quorum'))).toEqual({ code: 'no-quorum', count: 1 });
    expect(countRetries(twice, { outcome: 'waiting', code: 'head-revoked' })).toEqual({
      code: 'head-revoked',
      count: 1,
    });
    for (const calm of [
      { outcome: 'current', code: 'already-installed' },
      { outcome: 'waiting', code: 'outside-rollout' },
      { outcome: 'installed' },
    ]) {
      expect(countRetries(twice, calm)).toEqual(noRetries);
    }
  });

  const refusedWith = (code: string) => ({ outcome: 'unproven', code });
});

describe('the first check of a process', () => {
  const planned = (dueSeconds: number, isThisBoot: boolean) => ({ dueSeconds, isThisBoot });

  test('comes at once on a new device, as planned after a restart, soon after a boot', () => {
    fc.assert(
      fc.property(
        random,
        fc.integer({ min: 0, max: 10 ** 10 }),
        fc.integer({ min: 0, max: 10 ** 10 }),
        (luck, due, now) => {
          expect(waitAtStart(null, now, pollHours, luck)).toBe(0);
          const restarted = waitAtStart(planned(due, true), now, pollHours, luck);
          expect(restarted).toBe(Math.min(Math.max(0, due - now), pollSeconds * 1.5));
          const booted = waitAtStart(planned(due, false), now, pollHours, luck);
          expect(booted).toBeGreaterThanOrEqual(0);
          expect(booted).toBeLessThanOrEqual(600);
        },
      ),
    );
  });
});

describe('a fleet', () => {
  const devices = 20_000;
  const hour = 3600;

  /** A fixed sequence: the test says the same each time. */
  function randoms(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  /** Checks a minute, of all devices, while the server is away in between. */
  function load(options: {
    start: (random: () => number) => number;
    outage: readonly [number, number];
    until: number;
  }) {
    const perMinute = new Uint32Array(Math.ceil(options.until / 60));
    const luck = randoms(42);
    for (let device = 0; device < devices; device += 1) {
      let retries: Retries = noRetries;
      for (let at = options.start(luck); at < options.until; ) {
        const minute = Math.floor(at / 60);
        perMinute[minute] = (perMinute[minute] ?? 0) + 1;
        const away = at >= options.outage[0] && at < options.outage[1];
        retries = countRetries(
          retries,
          away ? { outcome: 'unproven', code: 'unavailable' } : { outcome: 'current', code: 'already-installed' },
        );
        at += waitSeconds(pollHours, retries, luck());
      }
    }
    return perMinute;
  }

  const busiest = (perMinute: Uint32Array, from: number, to: number) =>
    Math.max(...perMinute.subarray(from / 60, to / 60));
  const everyMinute = devices / (pollSeconds / 60);
  const anywhere = (luck: () => number) => luck() * pollSeconds;

  test('asks evenly when nothing happens', () => {
    const perMinute = load({ start: anywhere, outage: [0, 0], until: 96 * hour });
    expect(busiest(perMinute, 12 * hour, 96 * hour)).toBeLessThan(everyMinute * 1.8);
  });

  test.each([1, 3, 12, 48])('does not come all at once when the server is back after %i hours', (hours) => {
    const outage = [12 * hour, (12 + hours) * hour] as const;
    const perMinute = load({ start: anywhere, outage, until: outage[1] + 48 * hour });
    expect(busiest(perMinute, outage[1], outage[1] + 48 * hour)).toBeLessThan(everyMinute * 8);
    // And it is as it was before a day later.
    expect(busiest(perMinute, outage[1] + 24 * hour, outage[1] + 48 * hour)).toBeLessThan(everyMinute * 1.8);
  });

  test('that boots at the same second spreads over ten minutes, and evenly from then on', () => {
    const start = (luck: () => number) => waitAtStart({ dueSeconds: 0, isThisBoot: false }, 10 ** 9, pollHours, luck());
    const perMinute = load({ start, outage: [0, 0], until: 96 * hour });
    expect(busiest(perMinute, 0, hour)).toBeLessThan((devices / 10) * 1.2);
    expect(busiest(perMinute, 2 * hour, 12 * hour)).toBeLessThan(everyMinute * 2.2);
    expect(busiest(perMinute, 36 * hour, 96 * hour)).toBeLessThan(everyMinute * 1.8);
  });
});
