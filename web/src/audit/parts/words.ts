export const plural = (count: number, one: string, many = `${one}s`) =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

/** A host without what a URL may carry besides: keys of RPC providers stand in paths. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** "0x1234ab…89ef": enough to tell two apart at a glance; the whole of it is one click away. */
export const shortHex = (hex: string, digits = 6) => `${hex.slice(0, digits + 2)}…${hex.slice(-4)}`;
