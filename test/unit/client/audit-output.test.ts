import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Audit, AuditedRelease, AuditSummary } from '@firmproof/client';
import {
  parseAddress,
  parseBytes32,
  parseChannel,
  parseProductId,
  parseSha256Digest,
  parseSigner,
  parseVersion,
} from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditedAdvisory } from '../../../client/src/audit/index.ts';
import { csvOf } from '../../../client/src/audit/output/csv.ts';
import { escapeHtml, htmlOf } from '../../../client/src/audit/output/html.ts';
import { jsonOf } from '../../../client/src/audit/output/json.ts';
import { textOf } from '../../../client/src/audit/output/text.ts';
import { approvalText, basisLines } from '../../../client/src/audit/output/words.ts';
import { writeText } from '../../../client/src/audit/output/write-file.ts';

const word = parseBytes32(`0x${'ab'.repeat(32)}`);
const digest = parseSha256Digest('cd'.repeat(32));
const account = parseAddress(`0x${'11'.repeat(20)}`);
const version = parseVersion('1.0.0');

const summary: AuditSummary = {
  product: parseProductId(word),
  name: 'lamp',
  chainId: 1,
  registry: account,
  complete: true,
  firstDifference: null,
  basis: {
    entries: 'nodes',
    nodes: { agree: ['node 1 (a)'], asked: 1, quorum: 1 },
    witnesses: null,
    unwitnessed: 'no server was asked for their signatures',
  },
  block: { chainId: 1, number: 9, hash: word, stateRoot: word, timestamp: 1_800_000_000 },
  sequence: 1,
  history: word,
  replayedHistory: word,
  publisher: account,
  guardian: account,
  delaySeconds: 3600,
  epoch: 1,
  trustRoot: digest,
  pending: null,
  releaseCount: 1,
  channels: [{ channel: parseChannel('stable'), version, halted: true }],
  saidLater: {
    from: 'server',
    unchecked: null,
    rebuilders: ['alice', 'bob'],
    advisories: [],
    passedOver: { rebuilds: 0, advisories: 0 },
  },
  findings: [],
  moreFindings: 0,
};

const supplyChain = (text: string) => ({
  severity: text,
  fixedVulnerabilities: [text],
  supportUntil: text,
  documents: [{ kind: text, format: text, name: text, digest, sizeBytes: 1, availableIn: 1 }],
});

const advisorySaying = (title: string): AuditedAdvisory => ({
  ...{ id: 'FPA-2026-1', revision: 2, publishedAt: 3, status: 'under_investigation', severity: 'high', title },
  ...{ fixedIn: parseVersion('1.1.0'), vulnerabilities: ['CVE-2026-1'] },
});

/** An audit whose every free text is the same: who signs a statement or runs a gateway may write what they like. */
function auditSaying(text: string): Audit {
  const approval = {
    form: 'key',
    approver: account,
    epoch: null,
    signers: [],
    quorum: 'reached',
    signersBy: null,
  } as const;
  const block = { number: 8, hash: word };
  const release: AuditedRelease = {
    ...{
      version,
      status: 'active',
      sequence: 1,
      rollbackIndex: 0,
      publishedAt: 1,
      installableFrom: 3601,
      revoked: null,
    },
    ...{ headOf: [], promotions: 0, image: digest, attestation: digest, block, transaction: word, approval },
    signature: { state: 'trusted', by: { kind: 'identity', identity: text, issuer: text } },
    statement: {
      cid: text,
      sizeBytes: 1,
      hardware: [text],
      precursors: [text],
      purpose: 'feature',
      notes: text,
      ...supplyChain(text),
    },
    availability: [{ source: text, attestation: 'available', image: 'wrong' }],
    rebuilds: [
      { rebuilder: 'alice', rebuiltAt: 2, source: { uri: text, digest: { sha256: digest } }, environment: text },
    ],
    advisories: [advisorySaying(text)],
  };
  const event = {
    ...{
      kind: 'published',
      product: summary.product,
      sequence: 1,
      block,
      transaction: word,
      time: 1,
      previousBlock: 0,
    },
    ...{ version, image: digest, attestation: digest, rollbackIndex: 0, installableFrom: 3601 },
  } as const;
  return {
    summary: {
      ...{ ...summary, name: text, findings: [{ code: 'content-missing', severity: 'warn', message: text }] },
      saidLater: { ...summary.saidLater, advisories: [{ ...advisorySaying(text), versions: [version], text }] },
    },
    *releases() {
      yield release;
    },
    *events() {
      yield { event, approval };
    },
  } as unknown as Audit;
}

const whole = (pieces: Iterable<string>) => [...pieces].join('');

describe('a report of hostile texts', () => {
  const marks = fc.stringMatching(/^[<>"'&;=/a-z \u202e]{0,40}$/);

  test('as HTML has the same elements whatever they say', () => {
    const tags = (page: string) => page.match(/<[^>]*>/g)?.map((tag) => tag.split(/[ >]/)[0]);
    const expected = tags(whole(htmlOf(auditSaying('plain'))));
    fc.assert(
      fc.property(marks, (text) => {
        const page = whole(htmlOf(auditSaying(`${text}<script>`)));
        expect(tags(page)).toEqual(expected);
        expect(page).not.toContain('\u202e');
      }),
      { numRuns: 60 },
    );
    expect(escapeHtml(`<a href="x" b='y'>&`)).toBe('&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;');
  });

  test('as text moves no cursor, and adds no line', () => {
    const lines = (text: string) =>
      whole(textOf(auditSaying(text), { events: true, all: true }, (_, plain) => plain)).split('\n');
    const hostile = lines('\u001b[2Jgone\r\nNOT PROVEN\u0007\u009b1m\u202e');
    expect(hostile.length).toBe(lines('plain').length);
    expect(hostile.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  test('as CSV starts no formula and stays in its cell', () => {
    const [, row, ...rest] = whole(csvOf(auditSaying('=HYPERLINK("x"),1'))).split('\r\n');
    expect(row).toContain(`"'=HYPERLINK(""x""),1 ('=`.slice(0, 20));
    expect(rest).toEqual(['']);
    expect(whole(csvOf(auditSaying('=1+1')))).not.toMatch(/(?:^|,)"?=/m);
  });

  test('as JSON is one line that says the same', () => {
    const text = '"}\n</script>\u2028';
    const line = whole(jsonOf(auditSaying(text), { events: true }));
    expect(line.split('\n')).toHaveLength(2);
    expect(JSON.parse(line)).toMatchObject({ name: text, releases: [{ statement: { notes: text } }], events: [{}] });
  });
});

test('what is the first difference is said once, short', () => {
  const message = 'some entry from 1 to 5 was changed: they replay to 0x12345678…, storage holds 0xabcdef01…';
  const firstDifference = { sequence: 5, message };
  const findings = [{ code: 'history-incomplete', severity: 'bad', ...firstDifference }] as const;
  const audit = { summary: { ...summary, complete: false, firstDifference, findings } } as unknown as Audit;
  const text = whole(textOf(audit, { events: false, all: false }, (_, plain) => plain));
  for (const report of [text, whole(htmlOf(audit))]) {
    expect(report.split('was changed')).toHaveLength(2);
    expect(report).toContain(`INCOMPLETE: ${message}`);
  }
});

describe('what is said later', () => {
  const shown = (change: Partial<AuditSummary['saidLater']>, all = false) => {
    const audit = auditSaying('hole');
    const saidLater = { ...audit.summary.saidLater, ...change };
    const changed = { ...audit, summary: { ...audit.summary, saidLater } } as unknown as Audit;
    return whole(textOf(changed, { events: false, all }, (_, plain) => plain));
  };

  test('stands below its release: how many have rebuilt it, with --all who, and the advisories', () => {
    expect(shown({})).toMatch(/rebuilt by +approved by\n.* {2}1 of 2 +key 0x/);
    expect(shown({})).toContain('\n    advisory FPA-2026-1 (high) under investigation, fixed in 1.1.0: hole\n');
    expect(shown({})).not.toContain('rebuilt by alice');
    expect(shown({}, true)).toContain('\n    rebuilt by alice\n    advisory FPA');
    expect(shown({ rebuilders: [] })).not.toMatch(/rebuilt by/);
  });

  test('about what is no release here stands below them all', () => {
    const other = { ...advisorySaying('old'), id: 'FPA-1', versions: [parseVersion('0.1.0')], text: '' };
    expect(shown({ advisories: [other] })).toContain('\nadvisory about 0.1.0: FPA-1 (high) under investigation');
  });

  test('is said not to have been checked where it was not', () => {
    expect(shown({})).not.toContain('checked:');
    expect(shown({ advisories: null, unchecked: 'why' })).toContain(
      '\nRebuilds and advisories were not checked: why.\n',
    );
    expect(shown({ unchecked: 'why' })).toContain('\nRebuilds and advisories were not all checked: why.\n');
  });
});

test('whose word it is is said plainly', () => {
  expect(basisLines(summary.basis)[0]).toContain('the word of one node');
  expect(basisLines(summary.basis)[1]).toBe('No witness was compared with: no server was asked for their signatures.');
  const unwitnessed = 'only 1 of 2';
  expect(basisLines({ entries: 'file', nodes: null, witnesses: null, unwitnessed })[0]).toContain(
    'not vouched for here (only 1 of 2)',
  );
  const several = { agree: ['node 1 (a)', 'node 2 (b)'], asked: 3, quorum: 2 };
  expect(basisLines({ entries: 'server', nodes: several, witnesses: null, unwitnessed }).join(' ')).toMatch(
    /2 of 3 nodes.*server carried/,
  );
});

test('whether enough have approved is said in words, and whose word that is', () => {
  const signer = parseSigner(account);
  const approval = { form: 'vendor-account', approver: account, epoch: 2, signers: [{ signer, valid: true }] } as const;
  const said = (quorum: 'reached' | 'missed' | 'unknown', signersBy: 'signed' | 'shown' | null) =>
    approvalText({ ...approval, quorum, signersBy }).replace(/^.*, quorum/i, 'quorum');
  expect(said('reached', 'signed')).toBe('quorum reached');
  expect(said('reached', 'shown')).toBe('quorum reached, as nodes show');
  expect(said('missed', 'signed')).toBe('quorum MISSED');
  expect(said('unknown', null)).toBe('quorum unknown');
});

test('a file is written where it was asked for, and through no link that somebody has put beside it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firmproof-output-'));
  try {
    const [report, victim] = [join(directory, 'report.html'), join(directory, 'victim')];
    writeFileSync(victim, 'precious');
    symlinkSync(victim, `${report}.part`);
    writeText(report, ['a', 'b']);
    expect([readFileSync(report, 'utf8'), readFileSync(victim, 'utf8')]).toEqual(['ab', 'precious']);
    const failing = function* () {
      yield 'half';
      throw new Error('no more');
    };
    expect(() => writeText(report, failing())).toThrow('no more');
    expect(readFileSync(report, 'utf8')).toBe('ab');
    expect(readdirSync(directory).toSorted()).toEqual(['report.html', 'report.html.part', 'victim']);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
