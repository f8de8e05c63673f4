const plural = (count: number, unit: string) => `${count} ${unit}${count === 1 ? '' : 's'}`;

/** "3 days", "1 hour 30 minutes": two units at most. */
export function describeDuration(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ] as const;
  let rest = seconds;
  const parts: string[] = [];
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(plural(count, unit));
  }
  return parts.slice(0, 2).join(' ') || '0 seconds';
}

/** "1,234,567 bytes (1.2 MiB)". */
export function describeBytes(bytes: number): string {
  const exact = `${plural(0, 'byte').replace('0', bytes.toLocaleString('en'))}`;
  if (bytes < 1024) return exact.replace(/^1 bytes$/, '1 byte');
  const units = ['KiB', 'MiB', 'GiB'];
  let value = bytes / 1024;
  while (value >= 1024 && units.length > 1) {
    value /= 1024;
    units.shift();
  }
  return `${exact} (${value.toLocaleString('en', { maximumFractionDigits: 1 })} ${units[0]})`;
}

/** Basis points as a percentage. */
export const describeShare = (basisPoints: number) => `${basisPoints / 100} %`;

/** A point in time as the reader's clock shows it. */
export const describeTime = (seconds: number) =>
  new Date(seconds * 1000).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** "in 3 hours", "2 days ago". */
export function describeDistance(seconds: number, nowSeconds: number): string {
  const distance = seconds - nowSeconds;
  const [longest = ''] = describeDuration(Math.abs(distance)).split(/(?<=[a-z]) /);
  return distance >= 0 ? `in ${longest}` : `${longest} ago`;
}
