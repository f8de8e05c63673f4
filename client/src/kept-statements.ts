import type { KeptStatement } from '@firmproof/protocol';

/** What was signed, as text, of so many statements at most: a server is read no further. */
export async function attestationsOf(
  items: AsyncIterable<Pick<KeptStatement, 'attestation'>>,
  maximum: number,
): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const { attestation } of items) {
    texts.push(attestation);
    if (texts.length === maximum) break;
  }
  return texts;
}
