import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceCode } from '@firmproof/protocol';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  afterFailure,
  afterSuccess,
  byHealth,
  type Health,
  penaltyAt,
  SourceHealth,
} from '../../../../device-agent/src/network/source-health.ts';
import { temporaryDirectory } from '../../../support/stack.ts';

const directories: string[] = [];
let directory: string;
let now: number;
beforeEach(() => {
  directory = temporaryDirectory();
  directories.push(directory);
  now = 1_700_000_000;
});
afterAll(() => {
  for (const each of directories) rmSync(each, { recursive: true, force: true });
});

const open = () => SourceHealth.open(directory, () => now);
const [first, second, third] = ['https://a.example', 'https://b.example', 'https://c.example'];
const sources = [first, second, third] as const;
const failsWith = (code: DeviceCode) => ({ code, message: `it said ${code}` });

describe('the order of sources', () => {
  test('is the one they were named in, while nothing is held against any', () =>
    expect(open().order(sources)).toEqual(sources));

  test('puts who is away, who is slow and who lies behind the others, the liar last', () => {
    const health = open();
    health.failed(first, failsWith('block-digest-mismatch'));
    health.failed(second, failsWith('download-too-slow'));
    health.failed(third, failsWith('unavailable'));
    expect(health.order([...sources, 'https://d.example'])).toEqual(['https://d.example', third, second, first]);
  });

  test('survives a restart, and decays: a day later a lost connection is forgotten, a lie is not', async () => {
    const before = open();
    before.failed(first, failsWith('unavailable'));
    before.failed(second, failsWith('block-digest-mismatch'));
    await before.save();
    expect(open().order(sources)).toEqual([third, first, second]);
    now += 86_400;
    expect(open().order(sources)).toEqual([first, third, second]);
    now += 2 * 86_400;
    expect(open().order(sources)).toEqual(sources);
  });

  test('forgives what works again', () => {
    const health = open();
    health.failed(first, failsWith('download-too-slow'));
    for (let count = 0; count < 4; count += 1) health.worked(first);
    expect(health.order(sources)).toEqual(sources);
  });

  test('always has each source exactly once, the healthier before the worse', () => {
    const health = fc.record({
      penalty: fc.double({ min: 0, max: 1e6, noNaN: true }),
      atSeconds: fc.integer({ min: 0, max: 4_000_000_000 }),
      lastFailure: fc.constant(null),
      certificateProblem: fc.constant(null),
    });
    fc.assert(
      fc.property(fc.uniqueArray(fc.webUrl(), { maxLength: 20 }), fc.infiniteStream(health), (urls, stream) => {
        const known = new Map(urls.map((url) => [url, stream.next().value as Health]));
        const of = (url: string) => known.get(url) as Health;
        const ordered = byHealth(urls, of, now);
        expect([...ordered].sort()).toEqual([...urls].sort());
        const left = ordered.map((url) => penaltyAt(of(url), now));
        expect(left).toEqual([...left].sort((one, other) => one - other));
      }),
    );
  });
});

describe('a penalty', () => {
  const codes = fc.constantFrom<DeviceCode>('unavailable', 'download-too-slow', 'stale', 'block-digest-mismatch');
  const clean: Health = { penalty: 0, atSeconds: 0, lastFailure: null, certificateProblem: null };

  test('is bounded, only falls with time and success, and is gone within days, wherever the clock jumps', () => {
    const events = fc.array(fc.record({ code: fc.option(codes), jump: fc.integer({ min: -1e9, max: 1e9 }) }), {
      maxLength: 50,
    });
    fc.assert(
      fc.property(events, (happened) => {
        let health = clean;
        let time = 2e9;
        for (const { code, jump } of happened) {
          time += jump;
          const before = penaltyAt(health, time);
          health = code ? afterFailure(health, code, 'x'.repeat(2000), time) : afterSuccess(health, time);
          const after = penaltyAt(health, time);
          if (code) expect(after).toBeGreaterThanOrEqual(Math.min(before, 64));
          else expect(after).toBeLessThanOrEqual(before);
          expect(after).toBeLessThanOrEqual(64);
          expect(penaltyAt(health, time + 3 * 86_400)).toBe(0);
        }
      }),
    );
  });
});

describe('what is written', () => {
  test('is nothing while nothing is wrong: flash wears out', async () => {
    const health = open();
    for (const source of sources) health.worked(source);
    await health.save();
    expect(() => readFileSync(join(directory, 'sources.json'))).toThrow('ENOENT');
  });

  test('is bounded, however many sources evidence names', async () => {
    const health = open();
    for (let count = 0; count < 100; count += 1) health.failed(`https://${count}.example`, failsWith('unavailable'));
    await health.save();
    expect(Object.keys(JSON.parse(readFileSync(join(directory, 'sources.json'), 'utf8')))).toHaveLength(32);
  });

  test('may be damaged: then nothing is held against anybody', () => {
    for (const damage of ['', '{', '[]', '{"https://a.example":{"penalty":-1}}', 'null']) {
      writeFileSync(join(directory, 'sources.json'), damage);
      expect(open().order(sources)).toEqual(sources);
    }
  });

  test('has the certificate that would not do, until it does', async () => {
    const health = open();
    health.certificate(first, 'CERT_HAS_EXPIRED');
    await health.save();
    expect(open().entries()).toMatchObject([
      { source: first, penaltyNow: 0, certificateProblem: { message: 'CERT_HAS_EXPIRED' } },
    ]);
    expect([...health.certificateProblems]).toEqual([[first, 'CERT_HAS_EXPIRED']]);
    const renewed = open();
    renewed.certificate(first, null);
    await renewed.save();
    expect(open().entries()).toMatchObject([{ source: first, certificateProblem: null }]);
  });
});
