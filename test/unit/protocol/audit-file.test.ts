import { isFirmproofError, sha256, zeroBytes32 } from '@firmproof/protocol';
import { type Entry, entryOfLog } from '@firmproof/protocol/audit';
import { AuditFileReader, type AuditLine, auditFileText } from '@firmproof/protocol/audit-file';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';
import { HistoryBuilder, historyPlace } from '../../support/history.ts';

const history = new HistoryBuilder().register().publish('1.0.0').promote('1.0.0').publish('1.1.0').revoke('1.0.0');
const entries = history.logs.map((log) => entryOfLog(log, historyPlace) as Entry);
const nodes = ['0x00'];
const proof = {
  proofVersion: 1,
  block: { chainId: 1, number: 7, hash: zeroBytes32, stateRoot: zeroBytes32, timestamp: 7 },
  cosignatures: [],
  accountProof: nodes,
  product: { state: nodes, configuration: nodes, history: nodes, trustRoot: nodes, pending: nodes, pendingFrom: nodes },
  releases: [],
  channels: [],
  trustRoots: [],
} as const;
const header = { chainId: 1, ...historyPlace, entries: entries.length, nodes: 3, quorum: 2 };
type Body = Exclude<AuditLine, { kind: 'header' | 'end' }>;
const body: readonly Body[] = [
  {
    kind: 'proof',
    proof: { ...proof, cosignatures: [], accountProof: nodes, releases: [], channels: [], trustRoots: [] },
  },
  { kind: 'sigstore-root', text: '{}' },
  { kind: 'advisory', text: 'what is known of it' },
  ...entries.flatMap((entry): Body[] => [
    { kind: 'entry', entry },
    { kind: 'transaction', transaction: { hash: entry.transaction, to: null, input: '0x0102' } },
    ...(entry.sequence === 2
      ? ([
          { kind: 'attestation', text: 'some text' },
          { kind: 'rebuild', text: 'the same bytes' },
          { kind: 'rebuild', text: 'the same again' },
        ] as const)
      : []),
  ]),
];
const written = (lines: readonly Body[] = body, head: typeof header = header) =>
  [...auditFileText(head, lines)].join('');

/** All lines, or the error. */
function read(text: string | Uint8Array): AuditLine[] {
  const reader = new AuditFileReader();
  const lines = Buffer.from(text).toString('latin1').split('\n');
  if (lines.pop() !== '') reader.end();
  const taken = lines.map((line) => reader.take(Buffer.from(line, 'latin1')));
  reader.end();
  return taken;
}

const isRefused = (text: string | Uint8Array): boolean => {
  try {
    read(text);
    return false;
  } catch (error) {
    if (isFirmproofError(error) && error.code === 'audit-file-malformed') return true;
    throw error;
  }
};

describe('an audit file', () => {
  test('is read as it was written', () => {
    const lines = read(written());
    expect(lines.slice(1, -1)).toEqual(body);
    expect(lines[0]).toMatchObject({ kind: 'header', auditFileVersion: 1, entries: 5 });
  });

  test('of which any byte was changed, or any end cut off, is refused', () => {
    const whole = Buffer.from(written());
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ bits;
        expect(isRefused(changed)).toBe(true);
        expect(isRefused(whole.subarray(0, at))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('whose lines stand in another order, are left out or come twice is refused, whoever sums it up', () => {
    const same = JSON.stringify(body);
    fc.assert(
      fc.property(fc.shuffledSubarray([...body], { minLength: 1 }), fc.boolean(), (lines, twice) => {
        const made = twice ? [...lines, ...lines.slice(-1)] : lines;
        const isProper = (candidate: readonly Body[]) => {
          const kinds = candidate.map(({ kind }) => kind);
          const sequences = candidate.flatMap((line) => (line.kind === 'entry' ? [line.entry.sequence] : []));
          const follows = kinds.every((kind, index) => {
            const before = kinds[index - 1];
            if (kind === 'transaction') return before === 'entry';
            if (kind === 'attestation') return before === 'entry' || before === 'transaction';
            if (kind === 'rebuild') return kinds.slice(0, index).includes('entry');
            return kind === 'entry'
              ? kinds.slice(0, index).includes('proof')
              : !kinds.slice(0, index).includes('entry');
          });
          return follows && sequences.join() === '1,2,3,4,5' && kinds.filter((kind) => kind === 'proof').length <= 4;
        };
        expect(isRefused(written(made))).toBe(JSON.stringify(made) !== same && !isProper(made));
      }),
      { numRuns: 150 },
    );
  });

  test('announces as many entries as it has, has no field that is none, and no endless line', async () => {
    await expectCode('audit-file-malformed', () => read(written(body, { ...header, entries: 4 })));
    const more = written().replace('"nodes":3', '"nodes":3,"note":"hello"');
    const lines = more.trimEnd().split('\n').slice(0, -1);
    const summed = `${lines.join('\n')}\n`;
    const end = { kind: 'end', lines: lines.length + 1, sha256: sha256(Buffer.from(summed)) };
    await expectCode('audit-file-malformed', () => read(`${summed}${JSON.stringify(end)}\n`));
    await expectCode('audit-file-malformed', () => new AuditFileReader().take(new Uint8Array(7 * 1024 * 1024)));
  });

  test('has so many rebuilds of an entry, and so many advisories, and no more', async () => {
    const padded = (kind: 'rebuild' | 'advisory', count: number) =>
      written(
        body.flatMap((line) =>
          line.kind === kind ? [] : [line, ...(isBefore(kind, line) ? Array(count).fill({ kind, text: 'x' }) : [])],
        ),
      );
    const isBefore = (kind: 'rebuild' | 'advisory', line: Body) =>
      line.kind === (kind === 'rebuild' ? 'attestation' : 'sigstore-root');
    for (const [kind, count] of [
      ['rebuild', 32],
      ['advisory', 2000],
    ] as const) {
      expect(read(padded(kind, count)).filter((line) => line.kind === kind)).toHaveLength(count);
      await expectCode('audit-file-malformed', () => read(padded(kind, count + 1)));
    }
  });

  test('that is no such file at all is refused with one code', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
        ),
        (text) => {
          expect(isRefused(`${text}\n`)).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });
});
