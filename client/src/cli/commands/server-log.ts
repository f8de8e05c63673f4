import { setTimeout as pause } from 'node:timers/promises';
import { isFirmproofError, type ServerLogEntry, type ServerLogHead } from '@firmproof/protocol';
import type { Command } from 'commander';
import type { Administration } from '../../administration.ts';
import { newEntries, readServerLog } from '../../server-log.ts';
import { parseWholeNumber } from '../../units.ts';
import { administration, type PublisherFlag, pinHead, readPinnedHeads, withPublisher } from '../administration.ts';
import { humanTime, table } from '../output.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type Flags = PublisherFlag & {
  readonly follow?: boolean;
  readonly verify?: boolean;
  readonly lines: string;
  readonly pin?: string;
  readonly heads?: string;
  readonly acceptRewritten?: boolean;
};

const followMilliseconds = 2000;

async function serverLog(session: Session, flags: Flags): Promise<void> {
  const { home, output, server } = session;
  const lines = parseWholeNumber(flags.lines, '--lines', 100_000, 1);
  const pinned = flags.heads === undefined ? [] : readPinnedHeads(flags.heads);
  const admin = await administration(session, flags);
  const { publisher } = admin;
  const remembered = flags.acceptRewritten ? null : home.serverLogHead(server, publisher);
  const known: ServerLogHead[] = pinned
    .filter((head) => head.server === server && head.publisher === publisher)
    .map(({ index, hash }) => ({ index, hash }));
  if (remembered) known.push(remembered);
  const { head, checkedFrom, newest } = await readServerLog(admin, {
    known,
    whole: flags.verify === true,
    newest: lines,
  });
  if (head) {
    await home.keepServerLogHead(server, publisher, head);
    if (flags.pin !== undefined) await pinHead(flags.pin, { server, publisher, ...head });
  }
  const checked = checkedSince(head, checkedFrom, known);
  if (flags.follow) {
    if (!output.json) output.note(checked);
    for (const entry of newest) show(session, entry);
    return follow(session, flags, admin, head);
  }
  const rows = newest.map((entry) => [String(entry.index), ...cellsOf(entry)]);
  const list = rows.length > 0 ? `${table(['entry', 'time', 'by', 'what', 'of', 'details'], rows)}\n\n` : '';
  output.result({ server, publisher, head, checkedFrom, known: known.length, entries: newest }, `${list}${checked}`);
}

function checkedSince(head: ServerLogHead | null, from: number, known: readonly ServerLogHead[]): string {
  if (head === null) return 'nothing was written down here for this publisher';
  const range = from === 0 ? `all ${head.index + 1} entries` : `entries ${from} to ${head.index}`;
  const heads = known.length > 0 ? ', and hold to what was seen before' : '';
  return `${range} follow each other${heads}; the newest has hash ${head.hash}`;
}

/** Goes on until somebody ends it. A login lasts an hour; then there is another. */
async function follow(
  session: Session,
  flags: Flags,
  first: Administration,
  from: ServerLogHead | null,
): Promise<never> {
  let admin = first;
  let head = from;
  for (;;) {
    await pause(followMilliseconds);
    let entries: readonly ServerLogEntry[];
    try {
      entries = await newEntries(admin, head);
    } catch (error) {
      if (!isFirmproofError(error) || !goesOn.includes(error.code)) throw error;
      if (error.code === 'token-invalid' && session.givenToken !== undefined) throw error;
      if (error.code === 'token-invalid') admin = await administration(session, flags);
      else session.output.note(error.message);
      continue;
    }
    for (const entry of entries) {
      show(session, entry);
      head = { index: entry.index, hash: entry.hash };
    }
    if (entries.length > 0 && head) await session.home.keepServerLogHead(session.server, admin.publisher, head);
  }
}

const goesOn: readonly string[] = ['token-invalid', 'server-unreachable'];

const show = (session: Session, entry: ServerLogEntry) =>
  session.output.result(entry, [String(entry.index).padStart(6), ...cellsOf(entry)].join('  '));

function cellsOf({ time, actor, action, subject, details }: ServerLogEntry): string[] {
  const more = Object.entries(details).map(([name, value]) =>
    name === 'expiresAt' && typeof value === 'number'
      ? `until ${humanTime(value)}`
      : `${name === 'scopes' ? 'roles' : name} ${value}`,
  );
  return [humanTime(time), shortened(actor), action, shortened(subject), more.map(shortened).join(', ')];
}

/** Keys and hashes are for --json. */
const shortened = (text: string): string => text.replace(/(0x[0-9a-f]{6}|\b[0-9a-f]{8})[0-9a-f]{24,}/g, '$1…');

export function addServerLog(program: Command, run: Run): void {
  withPublisher(program.command('server-log'))
    .description('what was done on the server for the publisher, checked against what was seen before')
    .option('--verify', 'check every entry from the first one on')
    .option('--follow', 'go on and show what comes')
    .option('--lines <number>', 'how many of the newest entries are shown', '50')
    .option('--pin <file>', 'write down in this file how far the log is, for auditors')
    .option('--heads <file>', 'hold the log to what was written down in this file')
    .option('--accept-rewritten', 'forget what was seen here before, after the server lost data')
    .action(run((session, flags: Flags) => serverLog(session, flags)));
}
