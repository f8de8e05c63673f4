import { describe, expect, test } from 'vitest';
import { craReport } from '../../../client/src/report/cra.ts';
import { r156Report } from '../../../client/src/report/r156.ts';
import { registerOf } from '../../../client/src/report/register.ts';
import { renderHtml } from '../../../client/src/report/render-html.ts';
import { renderText } from '../../../client/src/report/render-text.ts';
import type { Clause, Report } from '../../../client/src/report/report.ts';
import { restsOn } from '../../../client/src/report/rests-on.ts';
import { advisoryFacts, day, imageOf, productFacts, releaseFacts, updateFacts } from '../../support/report-facts.ts';

function clauseOf(report: Report, name: string): Clause {
  const found = report.clauses.find(({ clause }) => clause === name);
  if (!found) throw new Error(`no clause ${name}`);
  return found;
}

const cve = 'CVE-2026-1234';
const fixing = {
  purpose: 'security',
  severity: 'high',
  fixedVulnerabilities: [cve],
} as const;

describe('the report for the Cyber Resilience Act', () => {
  test('shows what a well-kept product has', () => {
    const report = craReport(
      productFacts([releaseFacts('1.0.0'), releaseFacts('2.0.0', fixing, { advisories: [advisoryFacts([cve])] })]),
    );
    const states = Object.fromEntries(report.clauses.map(({ clause, state }) => [clause, state]));
    expect(states).toEqual({
      'Article 13(8)': 'shown',
      'Article 13(9)': 'shown',
      'Article 13(19), Annex II (7)': 'partly',
      'Annex I, Part I (2)(c)': 'shown',
      'Annex I, Part I (2)(f)': 'shown',
      'Annex I, Part II (1)': 'shown',
      'Annex I, Part II (2)': 'partly',
      'Annex I, Part II (4)': 'shown',
      'Annex I, Part II (7)': 'shown',
      'Annex I, Part II (8)': 'partly',
      'Annex VII (1)(b)': 'shown',
      'Annex VII (2)(b), (8)': 'partly',
      'Article 13(2) to (4)': 'outside',
      'Article 14': 'outside',
      'Annex I, Part II (3)': 'outside',
      'Annex I, Part II (5), (6)': 'outside',
    });
    expect(report.notice).toContain('no legal advice');
    // Ten years after it was issued, or the end of support where that is later.
    expect(clauseOf(report, 'Article 13(9)').table?.rows).toEqual([
      ['2.0.0', '2026-01-01', '2036-01-01', '2 of 2 sources'],
    ]);
  });

  test('says what is not there, and what to do about it', () => {
    const bare = { supportUntil: null, documents: [], hasNotes: false } as const;
    const report = craReport(
      productFacts([
        releaseFacts('1.0.0', bare),
        releaseFacts('2.0.0', { ...bare, fixedVulnerabilities: [cve] }, { availability: { intact: 0, sources: 2 } }),
        releaseFacts('3.0.0', null, { availability: null }),
      ]),
    );
    expect(clauseOf(report, 'Article 13(8)')).toMatchObject({
      state: 'missing',
      gaps: ['A release has to name the last day of its support.'],
    });
    expect(clauseOf(report, 'Article 13(9)')).toMatchObject({ state: 'missing', gaps: ['2.0.0 is at no source.'] });
    expect(clauseOf(report, 'Annex I, Part I (2)(c)').gaps[0]).toContain('2.0.0 fixes vulnerabilities');
    expect(clauseOf(report, 'Annex I, Part II (1)').gaps).toHaveLength(3);
    expect(clauseOf(report, 'Annex I, Part II (4)')).toMatchObject({ state: 'missing' });
    expect(clauseOf(report, 'Annex I, Part II (7)')).toMatchObject({
      state: 'partly',
      gaps: ['3.0.0: no source has its attestation'],
    });
    expect(clauseOf(report, 'Annex I, Part II (8)')).toMatchObject({ state: 'missing' });
  });

  test.each([
    ['shorter than five years', '2029-01-01', 'Less than 5 years'],
    ['over', '2026-06-30', 'The support period is over.'],
  ])('tells a support period that is %s', (_, supportUntil, gap) => {
    const clause = clauseOf(craReport(productFacts([releaseFacts('1.0.0', { supportUntil })])), 'Article 13(8)');
    expect(clause.state).toBe('partly');
    expect(clause.gaps.join()).toContain(gap);
  });

  test('never shows more than the history that it rests on', () => {
    const whole = productFacts([releaseFacts('1.0.0')]);
    const audit = { ...whole.audit, complete: false, differences: ['entry 2 is missing'] };
    const report = craReport({ ...whole, audit });
    for (const name of ['Annex I, Part I (2)(f)', 'Annex I, Part II (7)', 'Annex VII (1)(b)'])
      expect(clauseOf(report, name).state).toBe('missing');
    expect(renderText(report)).toContain('INCOMPLETE: entry 2 is missing');
  });
});

describe('the register of UN R156', () => {
  const releases = [
    releaseFacts('1.0.0', { rxswins: ['R79SWIN 0001'] }),
    releaseFacts('2.0.0', { rxswins: ['R79SWIN 0002', 'R13SWIN 0007'] }),
    releaseFacts('3.0.0'),
  ];

  test('has a line for each number and step, with the digests before and after', () => {
    const updates = [
      updateFacts('a', '1.0.0', '2.0.0'),
      updateFacts('c', '1.0.0', '2.0.0', { at: day('2026-04-01') }),
      // The same device says it once more: it is one device.
      updateFacts('c', '1.0.0', '2.0.0', { at: day('2026-05-01'), counter: 2 }),
      updateFacts('c', '2.0.0', '3.0.0', { at: day('2026-06-01'), counter: 3 }),
      updateFacts('d', '1.0.0', '2.0.0', { result: 'rolled-back' }),
    ];
    const step = {
      before: { version: '1.0.0', image: imageOf('1.0.0') },
      rxswinsBefore: ['R79SWIN 0001'],
      after: { version: '2.0.0', image: imageOf('2.0.0') },
      devices: 2,
      firstAt: day('2026-03-01'),
      lastAt: day('2026-05-01'),
    };
    expect(registerOf({ releases }, updates)).toMatchObject([
      { rxswin: 'R13SWIN 0007', ...step },
      { rxswin: 'R79SWIN 0002', ...step },
      { rxswin: null, rxswinsBefore: ['R79SWIN 0002', 'R13SWIN 0007'], devices: 1 },
    ]);
    const report = r156Report(productFacts(releases), updates);
    expect(clauseOf(report, '7.1.2.3')).toMatchObject({ state: 'partly', gaps: [] });
    expect(clauseOf(report, '7.1.2.4').table?.rows).toEqual([
      ['2.0.0', { digest: imageOf('2.0.0') }, '1'],
      ['3.0.0', { digest: imageOf('3.0.0') }, '1'],
    ]);
    expect(clauseOf(report, '7.2.2.1.1').table?.rows).toEqual([['2.0.0', '1', '0']]);
  });

  test('answers or lists every paragraph of section 7, each once', () => {
    const { clauses } = r156Report(productFacts(releases), [updateFacts('a', '1.0.0', '2.0.0')]);
    expect(Object.fromEntries(clauses.map(({ clause, state }) => [clause, state]))).toEqual({
      '7.1.1.2': 'shown',
      '7.1.1.3, 7.1.1.4': 'partly',
      '7.1.1.6, 7.1.1.7': 'partly',
      '7.1.1.12': 'partly',
      '7.1.2.2': 'partly',
      '7.1.2.3': 'shown',
      '7.1.2.4': 'partly',
      '7.1.2.5': 'partly',
      '7.1.3.1, 7.1.3.2': 'shown',
      '7.2.1.1': 'shown',
      '7.2.2.1.1': 'partly',
      '7.1.1.1, 7.1.2.1': 'outside',
      '7.1.1.5': 'outside',
      '7.1.1.8 to 7.1.1.10': 'outside',
      '7.1.1.11, 7.2.2.2, 7.2.2.4': 'outside',
      '7.1.3.3': 'outside',
      '7.1.4': 'outside',
      '7.2.1.2': 'outside',
      '7.2.2.1.2, 7.2.2.1.3, 7.2.2.3, 7.2.2.5': 'outside',
    });
  });

  test('tells of devices that run what the history does not record', () => {
    const foreign = updateFacts('a', '1.0.0', '2.0.0', { image: imageOf('9.0.0') });
    const clause = clauseOf(r156Report(productFacts(releases), [foreign]), '7.1.2.3');
    expect(clause.gaps[0]).toContain('with an image that the history does not record');
  });

  test('claims nothing where receipts were not asked for', () => {
    for (const why of ['not-asked', 'not-readable'] as const) {
      const report = r156Report(productFacts(releases), why);
      for (const name of ['7.1.1.12', '7.1.2.2', '7.1.2.3', '7.1.2.4', '7.2.2.1.1'])
        expect(clauseOf(report, name)).toMatchObject({
          state: 'missing',
          answer: expect.stringContaining(why === 'not-asked' ? 'were not asked for' : 'could not be read'),
        });
    }
  });

  test('names each kind of document once', () => {
    const documents = (['cyclonedx', 'spdx', 'markdown'] as const).map((format) => ({
      kind: format === 'markdown' ? ('notes' as const) : ('sbom' as const),
      format,
      name: format,
      digest: imageOf('1.0.0'),
      availability: null,
    }));
    const report = r156Report(productFacts([releaseFacts('1.0.0', { documents, hasNotes: true })]), []);
    expect(clauseOf(report, '7.1.2.5').table?.rows[0]?.[3]).toBe('notes (markdown), sbom (cyclonedx, spdx)');
  });
});

describe('where there is nothing to show', () => {
  const wholly = productFacts([releaseFacts('1.0.0')]);
  const ofUpdates = ['Article 13(9)', 'Annex I, Part II (2)', 'Annex I, Part II (4)', 'Annex I, Part II (8)'];

  test('a clause is shown in part in both reports, and says that there was none', () => {
    const none = { state: 'partly', answer: expect.stringContaining('there was none to show this of') };
    for (const name of ofUpdates) expect(clauseOf(craReport(wholly), name)).toMatchObject(none);
    for (const name of ['7.1.2.3', '7.1.2.4', '7.2.2.1.1'])
      expect(clauseOf(r156Report(wholly, []), name)).toMatchObject(none);
    const empty = productFacts([]);
    for (const name of ['7.1.1.2', '7.1.1.3, 7.1.1.4', '7.1.2.5', '7.1.3.1, 7.1.3.2', '7.2.1.1'])
      expect(clauseOf(r156Report(empty, []), name)).toMatchObject(none);
  });

  test('it is not shown at all where something may have stayed unseen', () => {
    const unread = productFacts([releaseFacts('1.0.0'), releaseFacts('2.0.0', null)]);
    const cut = { ...wholly, audit: { ...wholly.audit, complete: false } };
    for (const facts of [unread, cut])
      for (const name of ofUpdates) {
        const { state, answer } = clauseOf(craReport(facts), name);
        expect(state).toBe('missing');
        expect(answer).not.toContain('there was none');
      }
  });
});

describe('how a report reads', () => {
  const reports = [
    craReport(productFacts([releaseFacts('1.0.0', { supportUntil: null, documents: [] })])),
    r156Report(productFacts([releaseFacts('1.0.0')]), [updateFacts('a', '0.0.1', '1.0.0')]),
  ];

  test('asks no regulator to run a command or to open a file of ours', () => {
    for (const report of reports) expect(renderText(report)).not.toMatch(/(?:^|\s)--[a-z]|firmproof [a-z]|docs\//);
  });

  test('shows digests whole', () => {
    for (const report of reports) expect([...renderHtml(report)].join('')).toContain(imageOf('1.0.0'));
  });

  test('says in words who vouches for the block', () => {
    const node = { agree: ['https://a.example'], asked: 1, quorum: 1 };
    expect(restsOn({ entries: 'nodes', nodes: node, witnesses: null, unwitnessed: 'no trust root was given' })).toBe(
      'That this block is the chain’s own is the word of one node: https://a.example. No witness was compared with.',
    );
  });
});
