import { type ServerLogEntry, type ServerLogHead, ServerLogVerifier } from '@firmproof/protocol';
import type { Administration } from './administration.ts';

const pageEntries = 500;

export type ServerLogReading = {
  readonly head: ServerLogHead | null;
  /** The first entry that was checked; everything before it was seen before. */
  readonly checkedFrom: number;
  /** The newest entries, oldest first. */
  readonly newest: readonly ServerLogEntry[];
};

/**
 * Reads the log of a server and holds it to its chain of hashes and to every head that is known (L6 of docs/spec/server-log.md).
 * @param options.known Heads that were seen before
 * @param options.whole From the first entry on; else from the oldest head that is known
 * @param options.newest How many entries the answer has
 * @throws FirmproofError `server-log-rewritten`, naming the index
 */
export async function readServerLog(
  administration: Administration,
  options: { readonly known: readonly ServerLogHead[]; readonly whole: boolean; readonly newest: number },
): Promise<ServerLogReading> {
  const { known, whole } = options;
  const end = (await administration.log(Number.MAX_SAFE_INTEGER, 1)).head?.index ?? -1;
  const wanted = Math.max(0, end + 1 - options.newest);
  const first = whole || known.length === 0 ? 0 : Math.min(wanted, ...known.map(({ index }) => index));
  const newest: ServerLogEntry[] = [];
  let verifier: ServerLogVerifier | undefined;
  let { items } = await administration.log(first - 1, pageEntries);
  while (items.length > 0) {
    for (const entry of items) {
      // What the first one follows was seen before, or is not asked for.
      const before = { index: first - 1, hash: entry.previous };
      verifier ??= new ServerLogVerifier(administration.publisher, first === 0 ? null : before, known);
      verifier.take(entry);
      newest.push(entry);
    }
    newest.splice(0, newest.length - options.newest);
    items = (await administration.log(verifier?.head?.index ?? -1, pageEntries)).items;
  }
  verifier ??= new ServerLogVerifier(administration.publisher, null, known);
  verifier.finish();
  return { head: verifier.head, checkedFrom: first, newest };
}

/** Entries that have come since a head; each is held to it. @throws FirmproofError `server-log-rewritten` */
export async function newEntries(
  administration: Administration,
  head: ServerLogHead | null,
): Promise<readonly ServerLogEntry[]> {
  const page = await administration.log(head?.index ?? -1, pageEntries);
  const known = [head, page.head].filter((one) => one !== null);
  const verifier = new ServerLogVerifier(administration.publisher, head, known);
  for (const entry of page.items) verifier.take(entry);
  // An end before what was seen; what has come since the page was read does not matter.
  if (head && (page.head === null || page.head.index < head.index))
    new ServerLogVerifier(administration.publisher, page.head, [head]).finish();
  return page.items;
}
