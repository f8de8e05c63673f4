import { parseVersion } from '@firmproof/protocol';
import { expect, test } from 'vitest';
import { bandsOf, spreadLabels } from '../../../web/src/audit/fleet/bands.ts';

const versions = Array.from({ length: 9 }, (_, index) => parseVersion(`1.${index}.0`));

test('days without a change are drawn as the last one that had one, up to today', () => {
  const [one] = versions as [(typeof versions)[0]];
  const { days, bands, most } = bandsOf({ days: [{ day: 3, running: [{ version: one, devices: 2 }] }] }, versions, 6);
  expect(days).toEqual([3, 4, 5, 6]);
  expect(bands).toEqual([{ version: one, devices: [2, 2, 2, 2], shade: 5 }]);
  expect(most).toBe(2);
});

test('the newest five have a band each, in the order in which they were published; all older ones are one', () => {
  const unpublished = parseVersion('9.0.0');
  const running = [...versions, unpublished].map((version) => ({ version, devices: 1 }));
  const { bands } = bandsOf({ days: [{ day: 1, running }] }, versions, 1);
  expect(bands.map(({ version, devices }) => [version, devices])).toEqual([
    [null, [5]],
    ...versions.slice(4).map((version) => [version, [1]]),
  ]);
});

test('labels are moved apart, and stay in their order and inside', () => {
  const spread = spreadLabels([50, 51, 97, 98], 10);
  expect([...spread].sort((a, b) => a - b)).toEqual(spread);
  for (const [index, place] of spread.slice(1).entries())
    expect(place - (spread[index] ?? 0)).toBeGreaterThanOrEqual(10);
  expect(Math.max(...spread)).toBeLessThanOrEqual(95);
  expect(spreadLabels([20, 60], 10)).toEqual([20, 60]);
});
