/** For so long a delivery is tried; a webhook that nothing reaches for so long is disabled. */
export const patienceSeconds = 2 * 86_400;
const longestPauseSeconds = 6 * 3600;
const growth = 4;
/** Receivers that come back are not met by everything at once. */
const jitter = 0.2;

/**
 * Seconds until the next attempt: with five for the first, some 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, and from there every 6 h at most.
 * @param attempts Those that have failed, at least one.
 * @param random From 0 up to 1.
 */
export function pauseSeconds(attempts: number, firstRetrySeconds: number, random: number): number {
  const pause = Math.min(firstRetrySeconds * growth ** (attempts - 1), longestPauseSeconds);
  return Math.max(1, Math.round(pause * (1 - jitter + 2 * jitter * random)));
}
