/**
 * The first bytes of an answer, as many as are wanted at most: whoever sends more than it should is read no further.
 * @param body Of a fetched response, or null where it has none
 */
export async function readAtMost(body: ReadableStream<Uint8Array> | null, maximumBytes: number): Promise<Uint8Array> {
  const reader = body?.getReader();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  while (reader !== undefined && sizeBytes < maximumBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    sizeBytes += value.length;
  }
  // What is left is not waited for; one that has ended cancels nothing.
  reader?.cancel().catch(() => undefined);
  const bytes = new Uint8Array(Math.min(sizeBytes, maximumBytes));
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.subarray(0, bytes.length - filled), filled);
    filled += chunk.length;
  }
  return bytes;
}
