import { isInShare, parseProductId, shareAt } from '@firmproof/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const ramp = { start: 1000, duration: 100, firstShare: 100 };
const product = parseProductId(`0x${'5'.repeat(64)}`);

test('the share rises in a straight line from the first share to everybody', () => {
  expect([999, 1000, 1050, 1100, 9999].map((time) => shareAt(ramp, time))).toEqual([0, 100, 5050, 10_000, 10_000]);
  expect(shareAt({ start: 5, duration: 0, firstShare: 0 }, 5)).toBe(10_000);
});

test('the share never falls', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2000 }), fc.nat({ max: 2000 }), fc.nat({ max: 10_000 }), (a, b, firstShare) => {
      const schedule = { ...ramp, firstShare };
      expect(shareAt(schedule, Math.min(a, b))).toBeLessThanOrEqual(shareAt(schedule, Math.max(a, b)));
    }),
  );
});

test('a device once inside stays inside, nobody is inside nothing, everybody is inside everything', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat({ max: 10_000 }), (secret, share) => {
      expect(isInShare(secret, product, 1, 0)).toBe(false);
      expect(isInShare(secret, product, 1, 10_000)).toBe(true);
      if (isInShare(secret, product, 1, share))
        expect(isInShare(secret, product, 1, Math.min(share + 1, 10_000))).toBe(true);
    }),
  );
});

test('a share of the fleet is about that many devices', () => {
  const inside = Array.from({ length: 2000 }, (_, index) => {
    const secret = new Uint8Array(32);
    new DataView(secret.buffer).setUint32(0, index);
    return isInShare(secret, product, 3, 2500);
  }).filter(Boolean).length;
  expect(inside).toBeGreaterThan(400);
  expect(inside).toBeLessThan(600);
});
