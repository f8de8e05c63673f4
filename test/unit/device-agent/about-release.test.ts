import { parseStatement } from '@firmproof/protocol';
import { expect, test } from 'vitest';
import { aboutRelease, aboutRows } from '../../../device-agent/src/about-release.ts';
import { statementOf } from '../../support/documents.ts';

const about = (predicate: object) =>
  aboutRelease(parseStatement(Buffer.from(JSON.stringify(statementOf(predicate)))).predicate);

test('what a journal keeps of a statement is short, and nothing where it says nothing', () => {
  const fixedVulnerabilities = Array.from({ length: 256 }, (_, index) => `CVE-2026-${10_000 + index}`);
  const kept = about({ fixedVulnerabilities, notes: 'n'.repeat(20_000), severity: 'high', supportUntil: '2031-12-31' });
  expect(kept.fixedVulnerabilities).toHaveLength(64);
  expect(kept.notes).toHaveLength(1000);
  expect(JSON.stringify(kept).length).toBeLessThan(3000);
  expect(about({ notes: undefined })).toEqual({});
});

test('notes are one line on a terminal, whatever they hold', () => {
  const rows = Object.fromEntries(aboutRows({ notes: '\u001b]0;owned\u0007two\nlines\u202e', severity: 'low' }));
  expect(rows).toMatchObject({ notes: ']0;owned two lines', severity: 'low', fixes: null, supported: null });
});
