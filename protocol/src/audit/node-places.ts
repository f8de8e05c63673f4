/**
 * The first node that stands in a list twice, as the address of its second time; null where each is there once. One node that is asked
 * twice is still one voice (V5.3): scheme, credentials, query and a last slash make no other node of it.
 */
export function repeatedNode(urls: readonly string[]): string | null {
  const distinct = distinctNodes(urls);
  return urls.find((url, index) => url !== distinct[index]) ?? null;
}

/** Each node once, as it came first. */
export function distinctNodes(urls: readonly string[]): readonly string[] {
  const places = urls.map(placeOf);
  return urls.filter((_, index) => places.indexOf(places[index] ?? '') === index);
}

function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname.replace(/\.$/, '')}:${port}${pathname.replace(/\/+$/, '')}`;
}
