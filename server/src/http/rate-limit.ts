const windowSeconds = 60;
/** Beyond so many callers in one window nobody new is told apart: memory stays bounded. */
const maximumCallers = 10_000;
const everybodyElse = '';

/** Counts callers in windows of a minute. Answers whether this one may still. */
export function createRateLimit({ perMinute, nowSeconds }: { perMinute: number; nowSeconds: () => number }) {
  let window = 0;
  const counts = new Map<string, number>();
  return (caller: string): boolean => {
    const current = Math.floor(nowSeconds() / windowSeconds);
    if (current !== window) {
      counts.clear();
      window = current;
    }
    const key = counts.has(caller) || counts.size < maximumCallers ? caller : everybodyElse;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count <= perMinute;
  };
}
