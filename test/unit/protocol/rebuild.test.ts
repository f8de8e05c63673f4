import {
  countedRebuilds,
  keyIdOf,
  maximumRebuildBytes,
  maximumRebuildsInEvidence,
  parseRebuild,
  parseVersion,
  payloadDigest,
  verifyRebuild,
} from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testProduct, trustRootOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { ed25519Key, p256Key } from '../../support/keys.ts';
import { rebuildStatementOf, rebuiltImage, signedBy } from '../../support/said-later.ts';

const [rootKey, build, alice, aliceToo, bob, stranger] = [
  ed25519Key(),
  p256Key(),
  ed25519Key(),
  p256Key(),
  p256Key(),
  ed25519Key(),
];
const root = trustRootOf(
  {
    buildKeys: [build.publicKey],
    rebuilders: [
      { name: 'alice', publicKey: alice.publicKey },
      { name: 'alice', publicKey: aliceToo.publicKey },
      { name: 'bob', publicKey: bob.publicKey },
    ],
  },
  [rootKey],
);
const release = { version: parseVersion('1.0.0'), image: rebuiltImage, attestedBy: keyIdOf(build.publicKey) };
const rebuild = (key = alice, predicate: object = {}, image: string = rebuiltImage) =>
  signedBy(key, rebuildStatementOf(predicate, image));
const names = (texts: readonly string[], of = root, about = release) =>
  countedRebuilds(texts, of, about).map(({ rebuilder }) => rebuilder.name);

describe('a rebuild', () => {
  test('is read with what it says, and verified as the word of a rebuilder', () => {
    const read = parseRebuild(rebuild());
    expect(read).toMatchObject({ image: rebuiltImage, statement: { predicate: { version: '1.0.0' } } });
    expect(verifyRebuild(read, root, release)).toEqual({ name: 'alice', publicKey: alice.publicKey });
  });

  test.each([
    ['another result', { result: 'differs' }],
    ['no digest of the source', { source: { uri: 'git+https://example.org/hub.git', digest: {} } }],
    ['a source that is no address', { source: { uri: 'somewhere', digest: { sha256: rebuiltImage } } }],
    ['an environment that writes to the terminal', { environment: '\u001b[2J' }],
    ['a time that is none', { rebuiltAt: -1 }],
  ])('with %s is refused', async (_what, predicate) => {
    await expectCode('rebuild-malformed', () => parseRebuild(rebuild(alice, predicate)));
  });

  test('of another type, with two subjects, or too large is refused', async () => {
    const statement = rebuildStatementOf() as { subject: object[] };
    const { subject } = statement;
    for (const other of [{ predicateType: 'x' }, { _type: 'x' }, { subject: [...subject, ...subject] }])
      await expectCode('rebuild-malformed', () => parseRebuild(signedBy(alice, { ...statement, ...other })));
    await expectCode('attestation-payload-type', () => parseRebuild(signedBy(alice, statement, 'text/plain')));
    await expectCode('attestation-malformed', () => parseRebuild(rebuild() + ' '.repeat(maximumRebuildBytes)));
  });

  test('of anything else never reads as one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(() => parseRebuild(text)).toThrow(/rebuild/);
      }),
    );
  });

  test('is the same in whatever JSON it stands', () => {
    const text = rebuild();
    const spaced = JSON.stringify(JSON.parse(text), null, 1);
    expect(payloadDigest(parseRebuild(spaced))).toBe(payloadDigest(parseRebuild(text)));
  });
});

describe('who is counted', () => {
  test('operators, however many keys they have', () => {
    expect(names([rebuild(alice), rebuild(aliceToo), rebuild(alice)])).toEqual(['alice']);
    expect(names([rebuild(alice), rebuild(bob), rebuild(bob)])).toEqual(['alice', 'bob']);
  });

  test.each([
    ['a key that nobody has named', rebuild(stranger), 'rebuilder-unknown'],
    ['a build key', rebuild(build), 'rebuilder-unknown'],
    ['another product', rebuild(alice, { product: `0x${'12'.repeat(32)}` }), 'rebuild-mismatch'],
    ['another version', rebuild(alice, { version: '1.0.1' }), 'rebuild-mismatch'],
    ['another image', rebuild(alice, {}, 'ab'.repeat(32)), 'rebuild-mismatch'],
    [
      'a signature of somebody else',
      rebuild(stranger).replaceAll(keyIdOf(stranger.publicKey), keyIdOf(bob.publicKey)),
      'attestation-signature-invalid',
    ],
  ] as const)('not by %s, and what is genuine beside it counts', async (_what, text, code) => {
    await expectCode(code, () => verifyRebuild(parseRebuild(text), root, release));
    expect(names([text])).toEqual([]);
    expect(names([text, 'no JSON', rebuild(bob)])).toEqual(['bob']);
  });

  test('not who has signed the release, even where the key is no build key any more', () => {
    const attestedBy = keyIdOf(alice.publicKey);
    expect(names([rebuild(alice)], root, { ...release, attestedBy })).toEqual([]);
    expect(names([rebuild(aliceToo)], root, { ...release, attestedBy })).toEqual(['alice']);
  });

  test('nobody, where the trust root names nobody', () => {
    expect(names([rebuild(alice)], trustRootOf({ buildKeys: [build.publicKey] }, [rootKey]))).toEqual([]);
  });

  test('of too many, the first ones alone', () => {
    const many = Array.from({ length: maximumRebuildsInEvidence }, () => 'no JSON');
    expect(names([...many, rebuild(alice)])).toEqual([]);
  });

  test('a trust root whose rebuilders are build keys, or share one, is refused', async () => {
    const of = (rebuilders: object[]) => trustRootOf({ buildKeys: [build.publicKey], rebuilders }, [rootKey]);
    const twice = ['a', 'b'].map((name) => ({ name, publicKey: alice.publicKey }));
    for (const mistake of [
      [{ name: 'a', publicKey: build.publicKey }],
      twice,
      [{ name: 'Alice', publicKey: bob.publicKey }],
    ])
      await expectCode('trust-root-malformed', () => of(mistake));
  });

  test('the product is that of the trust root', () => {
    expect(root.product).toBe(testProduct);
  });
});
