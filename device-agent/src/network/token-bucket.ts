/** Waits until so many bytes more may have been taken; answers the seconds that it waited. */
export type Throttle = (bytes: number) => Promise<number>;

export const unlimited: Throttle = async () => 0;

type Time = { readonly nowSeconds: () => number; readonly pause: (seconds: number) => Promise<unknown> };

/** The bucket holds what may come at once: a second's worth. */
const burstSeconds = 1;

/**
 * A token bucket. It may go into debt by one chunk, which is waited for before the next, so chunks larger than the bucket
 * pass too (D46); over any time t at most `bytesPerSecond × (t + 1)` bytes and one chunk come through.
 */
export function createTokenBucket(bytesPerSecond: number, time: Time): Throttle {
  const capacity = bytesPerSecond * burstSeconds;
  let tokens = capacity;
  let at = time.nowSeconds();
  return async (bytes) => {
    const now = time.nowSeconds();
    tokens = Math.min(capacity, tokens + Math.max(0, now - at) * bytesPerSecond) - bytes;
    at = now;
    if (tokens >= 0) return 0;
    const seconds = -tokens / bytesPerSecond;
    await time.pause(seconds);
    return seconds;
  };
}
