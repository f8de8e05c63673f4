import { styleText } from 'node:util';
import { zeroAddress } from '@firmproof/protocol';
import type { Audit } from '../audit.ts';
import type { AuditedEvent, AuditedRelease, AuditedSaidLater } from '../report.ts';
import {
  advisoryText,
  approvalText,
  availabilityText,
  basisLines,
  besidesVerdict,
  detailOf,
  durationOf,
  isAsking,
  rebuilderNames,
  rebuiltText,
  short,
  signatureText,
  subjectOf,
  timeOf,
  uncheckedText,
  verdictText,
} from './words.ts';

type Style = 'red' | 'yellow' | 'green' | 'bold' | 'dim';
export type Paint = (style: Style, text: string) => string;
/** Colours where a terminal shows them and NO_COLOR does not forbid it. */
export const painter =
  (stream: NodeJS.WriteStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream });

type Column<Row> = { readonly title: string; readonly width: number; readonly of: (row: Row) => string };
const released = 50;
const shownFindings = 40;
/** So many of one release, and of those that are about none that is shown. */
const shownAdvisories = 5;

const releaseColumns = (saidLater: AuditedSaidLater): readonly Column<AuditedRelease>[] => [
  { title: 'release', width: 12, of: ({ version }) => version },
  { title: 'status', width: 8, of: ({ status }) => status },
  { title: 'index', width: 5, of: ({ rollbackIndex }) => String(rollbackIndex) },
  { title: 'published', width: 20, of: ({ publishedAt }) => timeOf(publishedAt) },
  {
    title: 'veto window',
    width: 11,
    of: ({ publishedAt, installableFrom }) => durationOf(installableFrom - publishedAt),
  },
  { title: 'image', width: 9, of: ({ image }) => short(image) },
  { title: 'signed by', width: 22, of: ({ signature }) => signatureText(signature) },
  { title: 'available', width: 9, of: availabilityText },
  { title: 'head of', width: 8, of: ({ headOf }) => headOf.join(' ') || '–' },
  ...(saidLater.rebuilders.length === 0
    ? []
    : [{ title: 'rebuilt by', width: 11, of: (release: AuditedRelease) => rebuiltText(release, saidLater) }]),
  { title: 'approved by', width: 0, of: ({ approval }) => approvalText(approval) },
];

const eventColumns: readonly Column<AuditedEvent>[] = [
  { title: 'event', width: 6, of: ({ event }) => String(event.sequence) },
  { title: 'time', width: 20, of: ({ event }) => timeOf(event.time) },
  { title: 'kind', width: 10, of: ({ event }) => event.kind },
  { title: 'about', width: 20, of: ({ event }) => subjectOf(event) },
  { title: 'block', width: 9, of: ({ event }) => String(event.block.number) },
  { title: 'approved by', width: 24, of: ({ approval }) => approvalText(approval) },
  { title: 'detail', width: 0, of: ({ event }) => detailOf(event) },
];

/** What others have written must neither move the cursor nor turn the text around. */
const plain = (text: string) => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');

const lineOf = (cells: readonly string[], columns: readonly Column<never>[]) =>
  `${cells
    .map((cell, index) => plain(cell).padEnd(columns[index]?.width ?? 0))
    .join('  ')
    .trimEnd()}\n`;

function* tableOf<Row>(
  columns: readonly Column<Row>[],
  rows: Iterable<Row>,
  paint: Paint,
  below: (row: Row) => Iterable<string> = () => [],
): Generator<string> {
  yield paint(
    'bold',
    lineOf(
      columns.map(({ title }) => title),
      columns as never,
    ),
  );
  for (const row of rows) {
    const text = lineOf(
      columns.map(({ of }) => of(row)),
      columns as never,
    );
    yield /NOT TRUSTED|MISSING|DISAGREES|INVALID|MISSED|WRONG/.test(text) ? paint('red', text) : text;
    yield* below(row);
  }
}

/** The report for a terminal. */
export function* textOf(
  audit: Audit,
  options: { readonly events: boolean; readonly all: boolean },
  paint: Paint,
): Generator<string> {
  const { summary } = audit;
  yield paint('bold', `${plain(summary.name ?? 'product')} ${summary.product}\n`);
  const guardian = summary.guardian === zeroAddress ? 'no guardian' : `guardian ${summary.guardian}`;
  yield `publisher ${summary.publisher}, ${guardian}, delay ${durationOf(summary.delaySeconds)}, trust root ${short(summary.trustRoot)}\n`;
  for (const { channel, version, halted } of summary.channels) {
    yield `${channel} is ${version}${halted ? paint('yellow', ', halted') : ''}\n`;
  }
  if (summary.pending)
    yield paint(
      'yellow',
      `a change of configuration waits since event ${summary.pending.sequence}, until ${timeOf(summary.pending.pendingFrom)}\n`,
    );
  yield '\n';
  yield* releasesOf(audit, options.all, paint);
  if (options.events) {
    yield '\n';
    yield* tableOf(eventColumns, audit.events(), paint);
  }
  yield* findingsOf(audit, paint);
  yield `\n${paint(summary.complete ? 'green' : 'red', plain(verdictText(summary)))}\n`;
  for (const line of basisLines(summary.basis)) yield `${plain(line)}\n`;
  const unchecked = uncheckedText(summary.saidLater);
  if (unchecked !== null && summary.complete) yield `${plain(unchecked)}\n`;
  yield `proven    ${summary.history}\nreplayed  ${summary.replayedHistory ?? '–'}\n`;
}

function* releasesOf(audit: Audit, all: boolean, paint: Paint): Generator<string> {
  const { releaseCount: releases, complete, saidLater } = audit.summary;
  if (!complete) return yield 'No release is shown: nothing is proven of an incomplete history.\n';
  if (releases === 0) return yield 'no releases\n';
  const hidden = all ? 0 : Math.max(0, releases - released);
  if (hidden > 0) yield `the newest ${released} of ${releases} releases; all with --all, --csv or --html\n`;
  const told = new Set<string>();
  yield* tableOf(releaseColumns(saidLater), after(audit.releases(), hidden), paint, function* (release) {
    const names = rebuilderNames(release);
    if (all && names.length > 0) yield `    rebuilt by ${names.join(', ')}\n`;
    const advisories = release.advisories ?? [];
    for (const advisory of all ? advisories : advisories.slice(0, shownAdvisories)) {
      told.add(advisory.id);
      yield paint(isAsking(advisory) ? 'yellow' : 'dim', `    advisory ${plain(advisoryText(advisory))}\n`);
    }
    if (!all && advisories.length > shownAdvisories)
      yield `    and ${advisories.length - shownAdvisories} more advisories; all with --all, --json or --html\n`;
  });
  // About images that were never releases, as those of a factory, or about releases that are not shown.
  const others = (saidLater.advisories ?? []).filter(({ id }) => !told.has(id));
  for (const advisory of all ? others : others.slice(0, shownAdvisories)) {
    const about = advisory.versions.join(', ');
    yield paint(
      isAsking(advisory) ? 'yellow' : 'dim',
      `advisory about ${plain(`${about}: ${advisoryText(advisory)}`)}\n`,
    );
  }
  if (!all && others.length > shownAdvisories)
    yield `and ${others.length - shownAdvisories} more advisories; all with --all, --json or --html\n`;
}

function* after<Item>(items: Iterable<Item>, count: number): Generator<Item> {
  let index = 0;
  for (const item of items) {
    if (index >= count) yield item;
    index += 1;
  }
}

function* findingsOf({ summary }: Audit, paint: Paint): Generator<string> {
  const { moreFindings } = summary;
  const findings = besidesVerdict(summary);
  if (findings.length === 0) return;
  yield '\n';
  const styles = { bad: 'red', warn: 'yellow', info: 'dim' } as const;
  const order = ['bad', 'warn', 'info'] as const;
  const sorted = order.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
  for (const { severity, code, sequence, message } of sorted.slice(0, shownFindings)) {
    const where = sequence === undefined ? '' : ` (event ${sequence})`;
    yield `${paint(styles[severity], severity.padEnd(4))}  ${plain(message)} [${code}]${where}\n`;
  }
  const more = findings.length + moreFindings - shownFindings;
  if (more > 0) yield `and ${more} more findings; all that were kept are in --json and --html\n`;
}
