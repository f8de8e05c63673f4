import {
  encodeStatement,
  parseStatement,
  type ReleaseDocument,
  rawCidOf,
  readAtMost,
  type Statement,
  sha256,
} from '@firmproof/protocol';
import { checkDocuments, differencesOf, documentRows, sbomPair } from '@firmproof/protocol/review';
import { describe, expect, test } from 'vitest';
import { statementOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { cycloneDx, spdx2 } from '../../support/supply-chain.ts';

const bytesOf = (document: object) => new TextEncoder().encode(JSON.stringify(document));
const given = (bytes: Uint8Array, as = sha256(bytes)) => ({ digest: as, bytes });

function documentOf(bytes: Uint8Array, more: Partial<ReleaseDocument> = {}): ReleaseDocument {
  const digest = sha256(bytes);
  const form = { kind: 'sbom', format: 'cyclonedx', mediaType: 'application/vnd.cyclonedx+json', name: 'a.json' };
  return { ...form, digest, cid: rawCidOf(digest), sizeBytes: bytes.length, ...more };
}

const parsed = (predicate: object): Statement => parseStatement(bytesOf(statementOf(predicate)));

describe('a statement', () => {
  test('says what it always said to who knows nothing of documents, whatever kinds there will be', () => {
    const document = { ...documentOf(bytesOf({})), kind: 'attest-2031', format: 'x1', later: true };
    const { predicate } = parsed({ documents: [document], severity: 'high', later: { more: 1 } });
    expect(predicate.documents).toEqual([expect.objectContaining({ kind: 'attest-2031', format: 'x1' })]);
    expect(predicate).not.toHaveProperty('later');
  });

  test.each<[string, object]>([
    ['too many documents', { documents: Array.from({ length: 33 }, () => documentOf(bytesOf({}))) }],
    ['a document without end', { documents: [documentOf(bytesOf({}), { sizeBytes: 2 ** 40 })] }],
    ['a document of no bytes', { documents: [documentOf(bytesOf({}), { sizeBytes: 0 })] }],
    ['a media type that ends a header', { documents: [documentOf(bytesOf({}), { mediaType: 'a/b\r\nx: y' })] }],
    ['a severity that nobody knows', { severity: 'urgent' }],
    ['a vulnerability that is no CVE id', { fixedVulnerabilities: ['GHSA-x'] }],
    ['a day that there is not', { supportUntil: '2031-02-30' }],
  ])('with %s is malformed', (_, predicate) => expectCode('statement-malformed', () => parsed(predicate)));

  test('that no device would read is not signed', async () => {
    const statement = parsed({});
    for (const notes of ['ä'.repeat(32_768), 'x'.repeat(32_769)])
      await expectCode('statement-malformed', () =>
        encodeStatement({ ...statement, predicate: { ...statement.predicate, notes } }),
      );
  });
});

describe('reviewing documents', () => {
  const before = bytesOf(cycloneDx([{ name: 'zlib', version: '1.3', license: 'Zlib' }]));
  const now = bytesOf(cycloneDx([{ name: 'zlib', version: '1.3.1', license: 'MIT' }]));
  const old = parsed({ documents: [documentOf(before)], severity: 'low' });
  const next = parsed({
    documents: [documentOf(now, { name: 'b.json' }), documentOf(bytesOf({}), { kind: 'vex', format: 'openvex' })],
    severity: 'critical',
    fixedVulnerabilities: ['CVE-2026-1111'],
    supportUntil: '2031-12-31',
  });

  test('shows a row each, and what has changed, part by part', () => {
    expect(documentRows(next).map(({ label }) => label)).toEqual([
      'Severity',
      'Fixes',
      'Supported until',
      'SBOM',
      'VEX',
    ]);
    expect(documentRows(parsed({}))).toEqual([]);
    const sboms = sbomPair({ statement: old, given: [given(before)] }, { statement: next, given: [given(now)] });
    const changed = differencesOf(old, next, sboms).filter(({ same }) => !same);
    expect(changed.map(({ label, before: was, now: is }) => [label, was, is])).toEqual([
      ['Severity', 'low', 'critical'],
      ['Fixes', 'not said', 'CVE-2026-1111'],
      ['Supported until', 'not said', '2031-12-31'],
      ['SBOM', expect.stringContaining('a.json'), expect.stringContaining('b.json')],
      ['VEX', 'none', expect.stringContaining('openvex')],
      ['Component zlib', '1.3', '1.3.1'],
      ['License of zlib', 'Zlib', 'MIT'],
    ]);
  });

  test('compares bills of the same format where there are such, and none that is not what was signed (A36)', () => {
    const other = bytesOf(spdx2([{ name: 'zlib', version: '1.3' }]));
    const both = parsed({ documents: [documentOf(other, { format: 'spdx' }), documentOf(before)] });
    const pair = sbomPair(
      { statement: both, given: [given(other), given(before)] },
      { statement: next, given: [given(now)] },
    );
    expect([pair?.before.format, pair?.now.format]).toEqual(['cyclonedx', 'cyclonedx']);
    const swapped = { statement: next, given: [given(before, sha256(now))] };
    expect(sbomPair({ statement: old, given: [given(before)] }, swapped)).toBeNull();
    expect(sbomPair({ statement: old, given: [] }, { statement: next, given: [given(now)] })).toBeNull();
  });

  test('tells what is signed, what is something else, and what nobody has looked at', () => {
    const check = (...answers: Parameters<typeof checkDocuments>[1]) => checkDocuments(next, answers)?.outcome;
    expect(checkDocuments(parsed({}), [])).toBeNull();
    expect(check(given(now), given(bytesOf({})))).toBe('passed');
    expect(check(given(now))).toBe('unchecked');
    expect(check(given(now), { digest: sha256(bytesOf({})), bytes: null })).toBe('unchecked');
    expect(check(given(before, sha256(now)))).toBe('failed');
    expect(check(given(new Uint8Array(), sha256(now)), given(bytesOf({})))).toBe('failed');
  });
});

test('of an answer without end only as much is read as is wanted', async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(1000).fill(7));
    },
  });
  expect(await readAtMost(endless, 2500)).toEqual(new Uint8Array(2500).fill(7));
  expect(pulled).toBeLessThan(6);
  expect(await readAtMost(new Response('abc').body, 10)).toEqual(new TextEncoder().encode('abc'));
  expect(await readAtMost(null, 10)).toEqual(new Uint8Array());
});
