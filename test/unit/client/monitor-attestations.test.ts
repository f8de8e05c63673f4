// Attestations as the monitor verifies them: what is wrong is told and kept, what cannot be verified is never told as wrong.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attestationDigest,
  attestationMediaType,
  bytes32OfDigest,
  rawCidOf,
  sha256,
  statementPayloadType,
  type TrustRoot,
  type Version,
} from '@firmproof/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ContentSource } from '../../../client/src/audit/content-source.ts';
import type { WatchedProduct } from '../../../client/src/monitor/config.ts';
import { AttestationWatch, attestationConditions } from '../../../client/src/monitor/follow/attestations.ts';
import { FollowedProduct } from '../../../client/src/monitor/follow/followed-product.ts';
import { MonitorState } from '../../../client/src/monitor/state.ts';
import { attestationOf, statementOf, trustRootOf } from '../../support/documents.ts';
import { HistoryBuilder, historyPlace } from '../../support/history.ts';
import { ed25519Key, envelopeOf, p256Key } from '../../support/keys.ts';

const [buildKey, foreignKey, rootKey] = [p256Key(), p256Key(), ed25519Key()];
const trustRoot = trustRootOf({ buildKeys: [buildKey.publicKey] }, [rootKey]);
const image = sha256(new TextEncoder().encode('image'));
const installable = 1_800_100_000;
const none: ReadonlySet<Version> = new Set();

/** By the path that they are asked for. */
const blocks = new Map<string, string>();
const asked: string[] = [];
let gateway: Server;
let source: ContentSource;
beforeAll(async () => {
  gateway = createServer((request, response) => {
    asked.push(request.url ?? '');
    const block = blocks.get(request.url ?? '');
    response.writeHead(block === undefined ? 404 : 200).end(block);
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  source = new ContentSource(`http://127.0.0.1:${(gateway.address() as AddressInfo).port}`);
});
afterAll(() => void gateway.close());

let directory: string;
let state: MonitorState;
let history: HistoryBuilder;
let watch: AttestationWatch;
let followed: FollowedProduct;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'firmproof-attestations-'));
  state = MonitorState.open(directory);
  follow(trustRoot);
});
afterEach(() => {
  state.close();
  rmSync(directory, { recursive: true, force: true });
  blocks.clear();
  asked.length = 0;
});

/** A product with this trust root, of which the monitor holds that one. */
function follow(named: TrustRoot, held: TrustRoot | null = named): void {
  const watched: WatchedProduct = {
    ...historyPlace,
    label: null,
    chainId: 1,
    trustRoot: held,
    announced: null,
    expectedSigners: null,
    rpc: [],
    quorum: 1,
    server: null,
    sources: [],
  };
  history = new HistoryBuilder().register(bytes32OfDigest(named.digest));
  watch = new AttestationWatch(watched, null, [source]);
  followed = FollowedProduct.load(state, watched);
  followed.baseline = 0;
}

const pathOf = (text: string) => `/ipfs/${rawCidOf(attestationDigest(text))}?format=raw`;
const signed = (predicate: object, key = buildKey) => attestationOf(statementOf(predicate), key).text;
/** Recorded on chain; at the source too, unless it is withheld. */
function publish(version: string, text = signed({ version }), withheld = false): void {
  const attestation = bytes32OfDigest(attestationDigest(text));
  history.publish(version, 0, { image: bytes32OfDigest(image), attestation });
  if (!withheld) blocks.set(pathOf(text), text);
}

/** What one round comes to; what it has seen is kept. */
async function look(again: 'all' | ReadonlySet<Version> = none, now = installable) {
  followed.learn(history.entries.slice(followed.sequence));
  const { looks, ...rest } = await watch.look(state, followed, again, now);
  state.transaction(() => watch.store(state, looks));
  return { ...rest, conditions: conditions() };
}
const conditions = () => attestationConditions(state, followed).map(({ code, subject }) => `${code} ${subject}`);

describe('what is verified', () => {
  test('a release in order raises nothing, and is not asked for again', async () => {
    publish('1.0.0');
    expect(await look()).toEqual({ conditions: [], isMissing: false, isWhole: true });
    expect(asked).toHaveLength(1);
    expect(await look('all')).toMatchObject({ conditions: [] });
    expect(asked).toHaveLength(1);
  });

  test('a foreign key, a genuine attestation of another release, and what is no attestation at all', async () => {
    publish('1.0.0');
    publish('1.1.0', signed({ version: '1.1.0' }, foreignKey));
    publish('1.2.0', signed({ version: '1.0.0' }));
    publish('1.3.0', signed({ version: '1.0.0', rollbackIndex: 7 }, foreignKey));
    publish('1.4.0', 'firmware');
    const all = [
      'attestation-untrusted 1.1.0',
      'statement-disagrees 1.2.0',
      'attestation-untrusted 1.3.0',
      'statement-disagrees 1.3.0',
      'attestation-untrusted 1.4.0',
    ];
    expect((await look()).conditions).toEqual(all);
    const [foreign, other] = attestationConditions(state, followed);
    expect(foreign).toMatchObject({ severity: 'bad', version: '1.1.0', sequence: 3, since: 0, patienceSeconds: 0 });
    expect(foreign?.message).toBe(
      '1.1.0 was approved, but nobody whom the trust root names has signed it: the attestation is signed by a key outside the trust root',
    );
    expect(other?.message).toContain('the statement has version 1.0.0, the chain 1.2.0');
    // It lasts: over rounds in which no source has it any more, and over a restart; until the release is revoked.
    blocks.clear();
    expect((await look('all')).conditions).toEqual(all);
    state.close();
    state = MonitorState.open(directory);
    expect(conditions()).toEqual(all);
    history.revoke('1.1.0').revoke('1.2.0').revoke('1.4.0');
    const requests = asked.length;
    expect((await look('all')).conditions).toEqual(all.filter((one) => one.endsWith('1.3.0')));
    expect(asked.slice(requests)).toHaveLength(1);
  });

  test('the trust root of its time counts, not the one of today', async () => {
    publish('1.0.0');
    const next = bytes32OfDigest(trustRootOf({ version: 2, buildKeys: [foreignKey.publicKey] }, [rootKey]).digest);
    history.schedule({ trustRoot: next }).applied({ trustRoot: next });
    expect(await look()).toMatchObject({ conditions: [] });
    expect(watch.unverified).toEqual([]);
  });

  test('one that the trust root lists needs none of its keys', async () => {
    const text = signed({ version: '1.0.0' }, foreignKey);
    follow(trustRootOf({ acceptedAttestations: [attestationDigest(text)] }, [rootKey]));
    publish('1.0.0', text);
    expect(await look()).toMatchObject({ conditions: [] });
  });

  test('what an older monitor took for wrong ends when it verifies', async () => {
    publish('1.0.0');
    const wrong = { code: 'attestation-untrusted', severity: 'bad', version: '1.0.0', message: 'of an unknown form' };
    followed.learn(history.entries);
    state.database
      .prepare('insert into attestations values (?, ?, ?)')
      .run(historyPlace.product, '1.0.0', JSON.stringify([wrong]));
    expect(conditions()).toEqual(['attestation-untrusted 1.0.0']);
    expect((await look('all')).conditions).toEqual([]);
  });

  test('all that came since the first look; of what was there before, heads and the newest', async () => {
    for (const minor of [0, 1, 2, 3, 4, 5, 6]) publish(`1.${minor}.0`, signed({}, foreignKey));
    followed.baseline = 4;
    expect((await look()).conditions.filter((one) => one.startsWith('attestation'))).toEqual(
      [2, 3, 4, 5, 6].map((minor) => `attestation-untrusted 1.${minor}.0`),
    );
    history.promote('1.0.0');
    expect((await look()).conditions).toContain('attestation-untrusted 1.0.0');
    expect(asked).toHaveLength(6);
  });

  test('so many in one round; the others in the next, though no source has any of them', async () => {
    for (let minor = 0; minor < 60; minor += 1) publish(`1.${minor}.0`, signed({}, foreignKey), true);
    expect(await look('all')).toMatchObject({ isWhole: false, isMissing: true });
    expect(await look()).toMatchObject({ isWhole: true, isMissing: true });
    expect(await look()).toMatchObject({ isWhole: true, isMissing: false });
    expect(new Set(asked).size).toBe(60);
  });
});

describe('what cannot be verified is no alarm', () => {
  const unverified = (why: string) => [`there are attestations that are not verified: ${why}`];

  test('the veto window is open: nobody has to give it', async () => {
    publish('1.0.0', signed({ version: '1.0.0' }, foreignKey));
    expect(await look('all', 1_800_000_000)).toMatchObject({ conditions: [], isMissing: false });
    expect(asked).toEqual([]);
    expect((await look()).conditions).toEqual(['attestation-untrusted 1.0.0']);
  });

  test('the document of the trust root is not at hand: nobody is asked for the attestation', async () => {
    const named = trustRootOf({ version: 2 }, [rootKey]);
    follow(named, trustRoot);
    publish('1.0.0', signed({ version: '1.0.0' }, foreignKey));
    expect(await look('all')).toMatchObject({ conditions: [], isMissing: false });
    expect(watch.unverified).toEqual(
      unverified(
        `trust root ${named.digest}, which was in force, is not here: name its file as "trustRoot", or a server that has it`,
      ),
    );
    expect(asked).toEqual([]);
  });

  test('no source has it, or one gives other bytes; it is looked at again when that is over', async () => {
    const text = signed({ version: '1.0.0' }, foreignKey);
    publish('1.0.0', text, true);
    expect(await look()).toMatchObject({ conditions: [], isMissing: true });
    blocks.set(pathOf(text), `${text} `);
    expect(await look(new Set(['1.0.0' as Version]))).toMatchObject({ conditions: [], isMissing: true });
    expect(watch.unverified).toEqual(unverified('no source has them'));
    blocks.set(pathOf(text), text);
    expect((await look(new Set(['1.0.0' as Version]))).conditions).toEqual(['attestation-untrusted 1.0.0']);
    expect(watch.unverified).toEqual([]);
  });

  test('a keyless one without its Sigstore trusted root; what it says otherwise than the chain is seen all the same', async () => {
    const sigstore = {
      trustedRoot: sha256(new TextEncoder().encode('not here')),
      identities: [{ identity: 'https://ci.example/job', issuer: 'https://ci.example' }],
    };
    follow(trustRootOf({ sigstore }, [rootKey]));
    publish('1.0.0', keyless({ version: '1.0.0' }));
    publish('1.1.0', keyless({ version: '1.0.1' }));
    expect((await look()).conditions).toEqual(['statement-disagrees 1.1.0']);
    expect(watch.unverified).toEqual(unverified(`the Sigstore trusted root ${sigstore.trustedRoot} is not here`));
  });
});

/** With the form of one; whoever verifies it needs the Sigstore trusted root first. */
function keyless(predicate: object): string {
  const { payload, payloadType, signatures } = envelopeOf(
    JSON.stringify(statementOf(predicate)),
    statementPayloadType,
    [foreignKey],
  );
  const rootHash = 'AAAA';
  const entry = {
    logIndex: '1',
    logId: { keyId: 'AAAA' },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: '1',
    inclusionProof: { logIndex: '1', rootHash, treeSize: '2', hashes: [], checkpoint: { envelope: 'log' } },
    canonicalizedBody: 'AAAA',
  };
  return JSON.stringify({
    mediaType: attestationMediaType,
    verificationMaterial: { certificate: { rawBytes: 'AAAA' }, tlogEntries: [entry] },
    dsseEnvelope: { payload, payloadType, signatures: signatures.map(({ sig }) => ({ sig, keyid: '' })) },
  });
}

test('the state of an older monitor is taken over', () => {
  state.database.exec('drop table attestations; pragma user_version = 1');
  state.close();
  state = MonitorState.open(directory);
  expect(attestationConditions(state, followed)).toEqual([]);
});
