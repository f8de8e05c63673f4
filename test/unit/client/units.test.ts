import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDurationSeconds, parseShareBasisPoints, parseWholeNumber } from '../../../client/src/units.ts';
import { expectCode } from '../../support/expect-code.ts';

describe('units on the command line', () => {
  test.each([
    ['90s', 90],
    ['30m', 1800],
    ['72h', 259_200],
    ['7d', 604_800],
    ['2w', 1_209_600],
    ['0s', 0],
  ])('%s is %d seconds', (text, seconds) => expect(parseDurationSeconds(text)).toBe(seconds));

  test.each([
    ['1%', 100],
    ['0.5%', 50],
    ['12.25%', 1225],
    ['100%', 10_000],
    ['0%', 0],
  ])('%s is %d basis points', (text, basisPoints) => expect(parseShareBasisPoints(text)).toBe(basisPoints));

  test.each(['', '5', 'h', '-1h', '1.5h', '1 h', '1y', '1h1m', '9999999999s'])('"%s" is no duration', (text) =>
    expectCode('usage-invalid', () => parseDurationSeconds(text)),
  );
  test.each(['', '1', '101%', '-1%', '0.001%', '%', '1e1%'])('"%s" is no share', (text) =>
    expectCode('usage-invalid', () => parseShareBasisPoints(text)),
  );

  test('whole numbers are whole, and in range', () =>
    fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) expect(parseWholeNumber(text, '--n')).toBe(Number(text));
        else await expectCode('usage-invalid', () => parseWholeNumber(text, '--n'));
      }),
    ));
});
