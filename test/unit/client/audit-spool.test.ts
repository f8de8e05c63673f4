import { appendFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { parseBytes32 } from '@firmproof/protocol';
import { type Entry, entryOfLog } from '@firmproof/protocol/audit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuditState } from '../../../client/src/audit/audit-state.ts';
import { decodeEntryRecord, encodeEntry } from '../../../client/src/audit/entry-record.ts';
import { Sidecar } from '../../../client/src/audit/sidecar.ts';
import { Spool } from '../../../client/src/audit/spool.ts';
import { HistoryBuilder, historyPlace } from '../../support/history.ts';
import { temporaryDirectory } from '../../support/stack.ts';

let directory: string;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const texts = (records: Iterable<Buffer>) => Array.from(records, (record) => record.toString('latin1'));
const records = fc.array(fc.oneof(fc.string({ maxLength: 40 }), fc.constant('x'.repeat(300_000))), { maxLength: 12 });

describe('a spool', () => {
  test('gives its records forwards and backwards, and loses a torn end only', () => {
    const file = join(directory, 'spool');
    fc.assert(
      fc.property(records, fc.nat(20), (written, torn) => {
        rmSync(file, { force: true });
        const bytes = written.map((text) => Buffer.from(text, 'utf8'));
        const expected = texts(bytes);
        const spool = Spool.open(file);
        for (const record of bytes) spool.append(record);
        expect(texts(spool.forwards())).toEqual(expected);
        expect(texts(spool.backwards())).toEqual(expected.toReversed());
        spool.close();
        const { size } = statSync(file);
        const cut = Math.min(torn, size);
        truncateSync(file, size - cut);
        const again = Spool.open(file);
        const kept = texts(again.forwards());
        expect(kept).toEqual(expected.slice(0, kept.length));
        expect(kept.length).toBeGreaterThanOrEqual(cut === 0 ? expected.length : expected.length - 3);
        again.append(Buffer.from('after'));
        expect(texts(again.backwards())[0]).toBe('after');
        again.close();
      }),
      { numRuns: 40 },
    );
  });

  test('does not take garbage at its end for a record', () => {
    const file = join(directory, 'garbage');
    const spool = Spool.open(file);
    spool.append(Buffer.from('one'));
    spool.close();
    appendFileSync(file, Buffer.alloc(40, 7));
    const again = Spool.open(file);
    expect(texts(again.forwards())).toEqual(['one']);
    again.close();
    expect(statSync(file).size).toBe(19);
  });
});

test('texts beside entries are found by their sequence, gaps and all', () => {
  const sidecar = new Sidecar(join(directory, 'sidecar'));
  for (const sequence of [1, 3, 3, 2, 7]) sidecar.add(sequence, `text ${sequence}`);
  const read = sidecar.reader();
  expect([1, 2, 3, 4, 7, 8].map(read)).toEqual(['text 1', null, 'text 3', null, 'text 7', null]);
  sidecar.close();
});

describe('what an audit keeps', () => {
  const builder = new HistoryBuilder().register().publish('1.0.0');
  for (let move = 0; move < 10; move += 1) builder.promote('1.0.0');
  const entries = builder.logs.map((log) => entryOfLog(log, historyPlace) as Entry);
  const place = { chainId: 1, ...historyPlace };
  const checkpoint = (sequence: number) => ({
    sequence,
    history: parseBytes32(`0x${'1'.repeat(64)}`),
    block: {
      chainId: 1,
      number: 500,
      hash: parseBytes32(`0x${'2'.repeat(64)}`),
      stateRoot: parseBytes32(`0x${'3'.repeat(64)}`),
      timestamp: 5,
    },
  });
  const sequences = (state: AuditState) => Array.from(state.entries(), ({ sequence }) => sequence);

  test('an entry is the same after a while on disk', () => {
    for (const entry of entries) expect(decodeEntryRecord(encodeEntry(entry))).toEqual(entry);
  });

  test('is there after a crash at each step: segments until they are proved, then the archive', async () => {
    const parent = join(directory, 'crashes');
    const open = () => AuditState.open(parent, place);
    let state = open();
    state.segmentFrom(6).push(entries.slice(0, 6));
    state.close();
    state = open();
    expect(sequences(state)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(state.segments[0]?.next).toEqual({ sequence: 0, block: 0 });
    await state.commit(checkpoint(6));
    state.take(entries[6] as Entry);
    state.close();
    state = open();
    // What was not committed does not count.
    expect(sequences(state)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(state.checkpoint).toEqual(checkpoint(6));
    state.segmentFrom(12).push(entries.slice(6));
    expect(sequences(state)).toEqual(entries.map(({ sequence }) => sequence));
    // Set aside, the archive is out of the way; it is back where nothing else was committed.
    state.setAside();
    expect(sequences(state)).toEqual([]);
    state.segmentFrom(3).push(entries.slice(0, 3));
    expect(sequences(state)).toEqual([1, 2, 3]);
    state.close();
    state = open();
    expect(sequences(state)).toEqual([1, 2, 3, 4, 5, 6]);
    state.setAside();
    state.segmentFrom(3).push(entries.slice(0, 3));
    await state.commit(checkpoint(3));
    state.close();
    state = open();
    expect(sequences(state)).toEqual([1, 2, 3]);
    state.close();
  });

  test('is never that of another chain or registry, and two audits at once do not mix', async () => {
    const parent = join(directory, 'places');
    const one = AuditState.open(parent, place);
    one.segmentFrom(12).push(entries);
    await one.commit(checkpoint(12));
    expect(() => AuditState.open(parent, place)).toThrow(expect.objectContaining({ code: 'audit-busy' }));
    const other = AuditState.open(parent, { ...place, chainId: 2 });
    expect(sequences(other)).toEqual([]);
    other.close();
    one.close();
  });
});
