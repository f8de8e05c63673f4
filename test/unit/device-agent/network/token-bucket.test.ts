import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTokenBucket } from '../../../../device-agent/src/network/token-bucket.ts';

/** Time that passes only when it is told to. */
function simulatedTime() {
  const time = {
    seconds: 0,
    nowSeconds: () => time.seconds,
    pause: async (seconds: number) => {
      time.seconds += seconds;
    },
  };
  return time;
}

const chunks = fc.array(
  fc.record({ bytes: fc.integer({ min: 1, max: 65_536 }), idleSeconds: fc.double({ min: 0, max: 5, noNaN: true }) }),
  {
    minLength: 1,
    maxLength: 200,
  },
);

test('never lets more through than rate × (time + 1) and one chunk, however the chunks come', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1024, max: 10_000_000 }), chunks, async (bytesPerSecond, sent) => {
      const time = simulatedTime();
      const take = createTokenBucket(bytesPerSecond, time);
      let taken = 0;
      for (const { bytes, idleSeconds } of sent) {
        time.seconds += idleSeconds;
        taken += bytes;
        expect(taken).toBeLessThanOrEqual(bytesPerSecond * (time.seconds + 1) + bytes + 1);
        await take(bytes);
        expect(taken).toBeLessThanOrEqual(bytesPerSecond * (time.seconds + 1) + 1);
      }
    }),
  ));

test('wastes nothing: a busy line is used to the full', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1024, max: 1_000_000 }), async (bytesPerSecond) => {
      const time = simulatedTime();
      const take = createTokenBucket(bytesPerSecond, time);
      let waited = 0;
      for (let count = 0; count < 100; count += 1) waited += await take(16_384);
      const seconds = Math.max(0, (100 * 16_384) / bytesPerSecond - 1);
      expect(time.seconds).toBeCloseTo(seconds, 6);
      expect(waited).toBeCloseTo(seconds, 6);
    }),
  ));

test('is not stopped by a clock that goes back', async () => {
  const time = simulatedTime();
  const take = createTokenBucket(1000, time);
  await take(5000);
  const before = time.seconds;
  time.seconds -= 100;
  await take(1000);
  expect(time.seconds).toBeLessThan(before);
});
