import {
  type Advisory,
  advisoryIdSchema,
  isAbout,
  maximumAdvisoriesKept,
  newestRevisions,
  parseAdvisory,
  parseVersion,
  provenAdvisories,
  verifyAdvisory,
} from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trustRootOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { ed25519Key, p256Key } from '../../support/keys.ts';
import { advisoryStatementOf, signedBy } from '../../support/said-later.ts';

const [rootKey, build, stranger] = [ed25519Key(), p256Key(), p256Key()];
const root = trustRootOf({ buildKeys: [build.publicKey] }, [rootKey]);
const text = (predicate: object = {}, key = build) => signedBy(key, advisoryStatementOf(predicate));
const advisory = (predicate: object = {}): Advisory => parseAdvisory(text(predicate));
const said = (advisories: readonly Advisory[]) =>
  advisories.map(({ statement: { predicate } }) => `${predicate.id} ${predicate.revision} ${predicate.title}`);

describe('an advisory', () => {
  test('is read and holds under the trust root whose build key signed it', async () => {
    const read = advisory();
    await verifyAdvisory(read, root);
    expect(isAbout(read, parseVersion('1.0.0'))).toBe(true);
    expect(isAbout(read, parseVersion('1.0.1'))).toBe(false);
  });

  test('by another key or about another product does not hold', async () => {
    await expectCode('attestation-key-unknown', () => verifyAdvisory(parseAdvisory(text({}, stranger)), root));
    const elsewhere = advisory({ product: `0x${'12'.repeat(32)}` });
    await expectCode('statement-product', () => verifyAdvisory(elsewhere, root));
    const proven = await provenAdvisories([text({}, stranger), elsewhere.text, 'no JSON', text()], root);
    expect(said(proven)).toEqual(['FPA-2026-1 1 The radio takes commands without pairing']);
  });

  test.each([
    ['an id in lower case', { id: 'fpa-2026-1' }],
    ['revision 0', { revision: 0 }],
    ['a title of two lines', { title: 'a\nb' }],
    ['a title that turns the line around', { title: 'a\u202eb' }],
    ['a text that writes to the terminal', { text: '\u001b[2J' }],
    ['a state that VEX does not know', { status: 'fine' }],
    ['a CVE id that is none', { vulnerabilities: ['CVE-1'] }],
    ['a version twice', { versions: ['1.0.0', '1.0.0'] }],
    ['an image of a version that it is not about', { versions: ['1.0.1'] }],
  ])('with %s is refused', async (_what, predicate) => {
    await expectCode('advisory-malformed', () => advisory(predicate));
  });

  test('of anything else never reads as one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (any) => {
        expect(() => parseAdvisory(any)).toThrow(/advisory/);
      }),
    );
  });

  test('has an id of a bounded grammar', () => {
    for (const id of ['FPA-2026-1', 'A-1', 'CVE-2026-12345'])
      expect(advisoryIdSchema.safeParse(id).success, id).toBe(true);
    for (const id of ['', 'FPA', '1-A', 'A--1', 'A-1-', 'A-1\n', 'A_1', `A-${'1'.repeat(31)}`, 'A-1-1-1-1', '../A-1'])
      expect(advisoryIdSchema.safeParse(id).success, id).toBe(false);
  });
});

describe('what is kept', () => {
  test('is the highest revision of each id: nothing goes back, and nothing changes under its number', () => {
    const kept = newestRevisions([], [advisory({ revision: 2, title: 'two' })]);
    const more = [advisory({ revision: 1, title: 'one' }), advisory({ revision: 2, title: 'another two' })];
    expect(said(newestRevisions(kept, more))).toEqual(['FPA-2026-1 2 two']);
    expect(said(newestRevisions(kept, [advisory({ revision: 3, title: 'three' })]))).toEqual(['FPA-2026-1 3 three']);
  });

  test('begins with what asks for something, then what is worse, then what is newer', () => {
    const all = [
      advisory({ id: 'A-1', status: 'fixed', severity: 'critical' }),
      advisory({ id: 'A-2', severity: 'low' }),
      advisory({ id: 'A-3', severity: 'high', publishedAt: 1 }),
      advisory({ id: 'A-4', severity: 'high', publishedAt: 2 }),
    ];
    expect(newestRevisions([], all).map(({ statement }) => statement.predicate.id)).toEqual([
      'A-4',
      'A-3',
      'A-2',
      'A-1',
    ]);
  });

  test('is bounded, in whatever order things come, and the highest revision survives', () => {
    const pool = Array.from({ length: 12 }, (_, index) =>
      advisory({ id: `A-${index % 4}`, revision: 1 + Math.floor(index / 4), title: String(index) }),
    );
    fc.assert(
      fc.property(fc.shuffledSubarray(pool, { minLength: 1 }), fc.nat({ max: 12 }), (some, cut) => {
        const atOnce = newestRevisions([], some);
        const inTwo = newestRevisions(newestRevisions([], some.slice(0, cut)), some.slice(cut));
        expect(said(inTwo)).toEqual(said(atOnce));
      }),
    );
    const flood = Array.from({ length: maximumAdvisoriesKept + 5 }, (_, index) =>
      advisory({ id: `B-${index}`, status: 'fixed' }),
    );
    const kept = newestRevisions([advisory()], flood);
    expect(kept).toHaveLength(maximumAdvisoriesKept);
    expect(kept[0]?.statement.predicate.id).toBe('FPA-2026-1');
  });
});
