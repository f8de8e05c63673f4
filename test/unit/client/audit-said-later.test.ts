import { parseBytes32, parseProductId, parseVersion, type TrustRoot } from '@firmproof/protocol';
import type { EventOf } from '@firmproof/protocol/audit';
import { describe, expect, test } from 'vitest';
import { FindingList } from '../../../client/src/audit/finding-list.ts';
import { SaidLater, type SaidLaterCarrier } from '../../../client/src/audit/said-later.ts';
import { attestationOf, statementOf, testProduct, trustRootOf } from '../../support/documents.ts';
import { ed25519Key, p256Key } from '../../support/keys.ts';
import { advisoryStatementOf, rebuildStatementOf, rebuiltImage, signedBy } from '../../support/said-later.ts';

const [rootKey, build, alice] = [ed25519Key(), p256Key(), p256Key()];
const rebuilders = [{ name: 'alice', publicKey: alice.publicKey }];
const now = trustRootOf({ version: 2, buildKeys: [build.publicKey], rebuilders }, [rootKey]);
/** When alice was no rebuilder yet, and built for the vendor. */
const then = trustRootOf({ buildKeys: [alice.publicKey] }, [rootKey]);
const attestation = attestationOf(statementOf({}), alice);
const word = parseBytes32(`0x${'ab'.repeat(32)}`);

const published = (change: Partial<EventOf<'published'>> = {}): EventOf<'published'> => ({
  ...{ kind: 'published', product: parseProductId(testProduct), sequence: 2, transaction: word, time: 1 },
  ...{ block: { number: 2, hash: word }, previousBlock: 1, version: parseVersion('1.0.0'), image: rebuiltImage },
  ...{ attestation: attestation.digest, rollbackIndex: 0, installableFrom: 1 },
  ...change,
});

const rebuild = signedBy(alice, rebuildStatementOf());

async function reading(
  { rebuilds = [rebuild], from = 'server' }: { rebuilds?: readonly string[]; from?: 'server' | 'file' },
  roots: readonly TrustRoot[] = [now],
  advisories: readonly string[] = [],
) {
  const asked: number[] = [];
  const carrier: SaidLaterCarrier = {
    from,
    advisories: () => Promise.resolve(advisories),
    rebuilds: ({ sequence }) => {
      asked.push(sequence);
      return Promise.resolve(rebuilds);
    },
  };
  const trustRoots = new Map(roots.map((root) => [root.digest, root]));
  const findings = new FindingList();
  const [named] = roots;
  const later = await SaidLater.read(
    carrier,
    named?.digest ?? now.digest,
    { trustRoots, sigstoreRoots: new Map() },
    findings,
  );
  return { later, asked, found: () => findings.settled(null) };
}

describe('a rebuild of a release', () => {
  test('counts nothing by the key that has signed its attestation, whether that is here or not', async () => {
    const own = await reading({});
    expect(await own.later.rebuildsOf(published(), attestation.text, then.digest)).toEqual({ rebuilds: [], texts: [] });
    const unseen = await reading({}, [now, then]);
    expect(await unseen.later.rebuildsOf(published(), null, then.digest)).toEqual({ rebuilds: [], texts: [] });
    expect(unseen.found()).toMatchObject([{ severity: 'info', code: 'attestation-untrusted', sequence: 2 }]);
  });

  test('counts by another, before anybody is given the attestation', async () => {
    const before = trustRootOf({ buildKeys: [build.publicKey] }, [rootKey]);
    const { later } = await reading({}, [now, before]);
    const { rebuilds, texts } = await later.rebuildsOf(published(), null, before.digest);
    expect([rebuilds?.map(({ rebuilder }) => rebuilder), texts]).toEqual([['alice'], [rebuild]]);
  });

  test('is not checked where nobody knows who has signed the attestation', async () => {
    const listing = trustRootOf({ acceptedAttestations: [attestation.digest] }, [rootKey]);
    for (const [roots, atEntry] of [
      [[now], then.digest],
      [[now, listing], listing.digest],
    ] as const) {
      const { later, asked } = await reading({}, roots);
      expect(await later.rebuildsOf(published(), null, atEntry)).toEqual({ rebuilds: null, texts: [] });
      expect(asked).toEqual([]);
    }
  });

  test('is asked of no server where no rebuilder is named, and told of in a file', async () => {
    const alone = trustRootOf({ buildKeys: [build.publicKey] }, [rootKey]);
    const online = await reading({}, [alone]);
    expect((await online.later.rebuildsOf(published(), attestation.text, alone.digest)).rebuilds).toEqual([]);
    expect(online.asked).toEqual([]);
    const offline = await reading({ from: 'file' }, [alone]);
    expect((await offline.later.rebuildsOf(published(), attestation.text, alone.digest)).rebuilds).toEqual([]);
    expect(offline.found()).toMatchObject([{ severity: 'info', code: 'attestation-untrusted' }]);
  });
});

test('whoever hands over more than anybody wants to read is asked no further, and told of once each', async () => {
  const { later, asked, found } = await reading({ rebuilds: Array(1024).fill('x') });
  const shown = [];
  for (let sequence = 2; sequence < 22; sequence += 1)
    shown.push((await later.rebuildsOf(published({ sequence }), attestation.text, now.digest)).rebuilds);
  expect(asked).toHaveLength(10);
  expect(shown).toEqual([...Array(10).fill([]), ...Array(10).fill(null)]);
  expect(found().map(({ severity }) => severity)).toEqual(Array(10).fill('warn'));
  expect(later.summary).toMatchObject({
    passedOver: { rebuilds: 10_240 },
    unchecked: expect.stringMatching(/1\.0\.0/),
  });
});

test('an advisory that is malformed is left out beside one that holds, and told of', async () => {
  const text = signedBy(build, advisoryStatementOf());
  const { later, found } = await reading({}, [now], [text, text.replace('"mediaType"', '"kind"')]);
  expect(later.summary.advisories?.map(({ id, versions }) => [id, versions])).toEqual([['FPA-2026-1', ['1.0.0']]]);
  expect(found()).toMatchObject([{ severity: 'warn', code: 'attestation-untrusted' }]);
  expect(later.advisoryTexts).toEqual([text]);
});
