// A50, A51: rebuilds that nobody made and advisories that nobody published, or that somebody takes back; and both as they should be.
import { sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import {
  type Audit,
  addBuildKey,
  attestRebuild,
  auditFile,
  auditProduct,
  ContentSource,
  dropBuildKey,
  FirmproofClient,
  listAdvisories,
  listRebuilds,
  recordedImage,
  sendAdvisory,
  writeAuditFile,
} from '@firmproof/client';
import {
  maximumAdvisoriesInEvidence,
  type ProductId,
  parseAdvisory,
  parseVersion,
  sha256,
  zeroBytes32,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareDocuments } from '../../client/src/documents/prepare-documents.ts';
import { Arena } from '../support/arena.ts';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { problemOf } from '../support/http.ts';
import { ed25519Key, p256Key, type TestKey } from '../support/keys.ts';
import type { Lie } from '../support/lying-server.ts';
import { rotate } from '../support/mover.ts';
import { advisoryStatementOf, rebuildStatementOf, signedBy } from '../support/said-later.ts';
import { eventually } from '../support/stack.ts';
import { openVex } from '../support/supply-chain.ts';

const [alice, aliceToo, bob, stranger] = [ed25519Key(), p256Key(), p256Key(), ed25519Key()];
const two = parseVersion('2.0.0');

let arena: Arena;
let product: ProductId;
let image: string;
/** Whoever asks without a token. */
let anybody: FirmproofClient;
/** The vendor, with its token. */
let client: FirmproofClient;
/** A device that runs 1.0.0, and wants one rebuilder before it installs anything. */
let careful: TestDevice;
/** The vendor's key, as tests sign with. */
let build: TestKey;

beforeAll(async () => {
  const rebuilders = [
    { name: 'alice', publicKey: alice.publicKey },
    { name: 'alice', publicKey: aliceToo.publicKey },
    { name: 'bob', publicKey: bob.publicKey },
  ];
  arena = await Arena.open({}, { signers: { rebuilders } });
  product = arena.vendor.product;
  image = sha256(arena.images['2.0.0']);
  anybody = new FirmproofClient({ server: arena.stack.url });
  client = arena.vendor.vendor.client;
  build = keyOf(arena.vendor.buildKey);
  careful = makeDevice(arena.vendor.trustRoot, [arena.liar.url], {
    image: { version: '1.0.0', rollbackIndex: 0, buildTimeSeconds: 1_700_000_000 },
    rebuilders: { minimum: 1 },
  });
});
afterAll(async () => {
  careful.destroy();
  await arena.close();
});

function keyOf(privateKey: TestKey['privateKey']): TestKey {
  const publicKey = publicKeyOf(privateKey);
  return { privateKey, publicKey, sign: (message) => sign('sha256', message, privateKey).toString('base64') };
}

const rebuild = (key: TestKey, predicate: object = {}, of = image) =>
  signedBy(key, rebuildStatementOf({ product, version: '2.0.0', ...predicate }, of));
const advisory = (predicate: object = {}, key = build) =>
  signedBy(key, advisoryStatementOf({ product, ...predicate }, ['1.0.0']));

/** What the device comes to when a liar attaches these to genuine evidence. */
const attached = (members: object, device: TestDevice) =>
  arena.liar.lying({ evidence: (document) => ({ ...document, ...members }) }, () => device.check());
const codeOf = async (members: object, device = careful) => {
  const { verdict } = await attached(members, device);
  return verdict.outcome === 'update' ? 'update' : verdict.code;
};
/** What a device shows of advisories: id, revision and title. */
const shown = async (device: TestDevice) =>
  (await device.status()).advisories.map(({ id, revision, title }) => `${id} ${revision} ${title}`);

describe('A50 a rebuild that nobody made', () => {
  test('a device that wants a rebuilder waits for one, and says so', async () => {
    await arena.seen('rebuilders-missing', careful);
    const before = await careful.fingerprint();
    const result = await careful.install();
    expect(result).toMatchObject({
      outcome: 'waiting',
      message: '0 of 1 needed rebuilders vouch for 2.0.0',
    });
    expect(await careful.fingerprint()).toEqual(before);
  });

  test.each([
    ['an unknown key', () => rebuild(stranger)],
    ['the build key itself', () => rebuild(build)],
    ['another version', () => rebuild(alice, { version: '1.0.0' })],
    ['another image', () => rebuild(alice, {}, sha256(arena.images['1.0.0']))],
    ['another product', () => rebuild(alice, { product: zeroBytes32 })],
    ['what is no statement', () => 'no JSON'],
  ])('by %s does not count on the device, and does no harm', async (_what, text) => {
    expect(await codeOf({ rebuilds: [text()] })).toBe('rebuilders-missing');
    expect(await codeOf({ rebuilds: [text(), rebuild(alice)] })).toBe('update');
  });

  test('two keys of one rebuilder are one voice', async () => {
    careful.configure({ rebuilders: { minimum: 2 } });
    expect(await codeOf({ rebuilds: [rebuild(alice), rebuild(aliceToo)] })).toBe('rebuilders-missing');
    expect(await codeOf({ rebuilds: [rebuild(alice), rebuild(bob)] })).toBe('update');
    careful.configure({ rebuilders: { minimum: 3 } });
    await careful.check();
    expect((await careful.status()).why.message).toMatch(/of 3 needed.*the trust root names 2/);
    careful.configure({ rebuilders: { minimum: 1 } });
  });

  test('more than evidence may carry is refused as a whole', async () => {
    expect(await codeOf({ rebuilds: Array(33).fill(rebuild(alice)) })).toBe('evidence-malformed');
    expect(await codeOf({ rebuilds: ['x'.repeat(16 * 1024 + 1)] })).toBe('evidence-malformed');
  });

  test('the server takes only what counts, without a token', async () => {
    const send = (text: string, version = two) => anybody.sendRebuild(product, version, text);
    await expectCode('rebuilder-unknown', () => send(rebuild(stranger)));
    await expectCode('rebuilder-unknown', () => send(rebuild(build)));
    await expectCode('rebuild-mismatch', () => send(rebuild(alice), parseVersion('1.0.0')));
    await expectCode('rebuild-mismatch', () => send(rebuild(alice, { product: zeroBytes32 })));
    await expectCode('rebuild-mismatch', () => send(rebuild(alice, {}, 'ab'.repeat(32))));
    await expectCode('rebuild-malformed', () => send(rebuild(alice, { result: 'differs' })));
    await expectCode('release-not-found', () => send(rebuild(alice), parseVersion('9.9.9')));
    expect((await anybody.release(product, two)).rebuilders).toBeUndefined();
  });

  test('the client signs nothing that differs from what is recorded, or that would not count', async () => {
    const { vendor } = arena;
    const source = { uri: 'git+https://example.org/hub.git', digest: { gitCommit: 'ab'.repeat(20) } };
    const release = await recordedImage(anybody, vendor.trustRoot, two, null);
    expect(await recordedImage(anybody, vendor.trustRoot, two, arena.stack.rpcUrl)).toEqual(release);
    const options = { trustRoot: vendor.trustRoot, release, source, environment: 'gcc 14.2' };
    const file = join(arena.stack.directory, 'rebuilt.bin');
    writeFileSync(file, arena.images['1.0.0']);
    await expectCode('rebuild-differs', () => attestRebuild(file, { ...options, key: alice.privateKey }));
    writeFileSync(file, arena.images['2.0.0']);
    await expectCode('rebuilder-unknown', () => attestRebuild(file, { ...options, key: stranger.privateKey }));
    await expectCode('rebuilder-unknown', () => attestRebuild(file, { ...options, key: vendor.buildKey }));
    const { text, rebuilder } = await attestRebuild(file, { ...options, key: alice.privateKey });
    expect(rebuilder).toBe('alice');
    const etag = await etagOfEvidence();
    const { digest } = await anybody.sendRebuild(product, two, text);
    // The same once more, in other JSON around it: nothing is kept twice.
    expect((await anybody.sendRebuild(product, two, ` ${text}`)).digest).toBe(digest);
    expect((await anybody.release(product, two)).rebuilders).toBe(1);
    const listed = await listRebuilds(anybody, vendor.trustRoot, release);
    expect(listed).toMatchObject({ counted: [{ rebuilder: { name: 'alice' } }], passedOver: 0 });
    // Why somebody does not count is told, and is not what the server says of it.
    const carrying = {
      async *rebuilds() {
        for (const attestation of [rebuild(stranger), text, ` ${text}`, 'nothing']) yield { attestation };
      },
    };
    const { counted, passedOver, reasons } = await listRebuilds(carrying as never, vendor.trustRoot, release);
    expect([counted.length, passedOver]).toEqual([1, 3]);
    expect([...reasons]).toEqual([
      ['the rebuild is signed by a key that is no rebuilder of the product', 1],
      ['alice is counted once', 1],
      [expect.stringContaining('is no JSON'), 1],
    ]);
    await eventually(etagOfEvidence, (now) => now !== etag, 'evidence to carry the rebuild');
  });

  test('with it, the device installs', async () => {
    await arena.offers('2.0.0', careful);
    expect(await careful.install()).toMatchObject({ outcome: 'installed', version: '2.0.0' });
    expect(careful.running()).toBe(image);
  });

  test('one rebuilder does not fill the server', async () => {
    let last = '';
    for (let second = 0; second < 8; second += 1) {
      last = await problemCode(rebuild(alice, { rebuiltAt: second }));
      if (last !== '') break;
    }
    expect(last).toBe('quota-exceeded');
    expect(await problemCode(rebuild(bob))).toBe('');
  });
});

describe('what an audit shows of both (V12)', () => {
  const forged = (text: string) => {
    const bundle = JSON.parse(text);
    bundle.dsseEnvelope.signatures[0].sig = Buffer.alloc(64, 7).toString('base64');
    return JSON.stringify(bundle);
  };
  const auditFrom = async (lie: Lie = {}) => {
    const { stack, liar, vendor } = arena;
    const { registry } = stack.info;
    const options = { rpcUrls: [stack.rpcUrl], registry, product, trustRoot: vendor.trustRoot };
    const asked = new FirmproofClient({ server: liar.url });
    return liar.lying(lie, () => auditProduct({ ...options, client: asked, sources: [new ContentSource(liar.url)] }));
  };
  /** What is said is what a liar has chosen. */
  const saying = (said: { readonly advisories?: readonly string[]; readonly rebuilds?: Record<string, string[]> }) => ({
    answer: ({ url = '' }: { url?: string | undefined }, response: ServerResponse) => {
      const version = /\/releases\/([^/]+)\/rebuilds/.exec(url)?.[1];
      const texts = version ? said.rebuilds?.[version] : url.includes('/advisories') ? said.advisories : undefined;
      if (texts === undefined) return false;
      const items = texts.map((attestation) => ({ digest: 'ab'.repeat(32), receivedAt: 1, attestation }));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ items }));
      return true;
    },
  });
  const shownOf = (audit: Audit) =>
    [...audit.releases()].map(({ version, rebuilds, advisories }) => [
      version,
      rebuilds?.map(({ rebuilder }) => rebuilder) ?? null,
      advisories?.map(({ id, revision }) => `${id} ${revision}`) ?? null,
    ]);
  const found = ({ summary }: Audit) =>
    summary.findings.map(({ severity, code, version = '' }) => `${severity} ${code} ${version}`.trim()).sort();
  const file = (name: string) => join(arena.stack.directory, name);
  /** A file with other lines, summed up as if it were whole. */
  const remade = (name: string, change: (line: string) => readonly string[]) => {
    const lines = readFileSync(file('said.jsonl'), 'utf8').trimEnd().split('\n').slice(0, -1).flatMap(change);
    const body = lines.map((line) => `${line}\n`).join('');
    const end = { kind: 'end', lines: lines.length + 1, sha256: sha256(Buffer.from(body)) };
    writeFileSync(file(name), `${body}${JSON.stringify(end)}\n`);
    return auditFile(file(name), { trustRoot: arena.vendor.trustRoot });
  };

  let audit: Audit;
  beforeAll(async () => {
    audit = await auditFrom(
      saying({
        rebuilds: {
          '1.0.0': [rebuild(bob), forged(rebuild(alice, { version: '1.0.0' }, sha256(arena.images['1.0.0'])))],
          '2.0.0': [rebuild(stranger), rebuild(build), rebuild(aliceToo), rebuild(alice), rebuild(bob)],
        },
        advisories: [
          ...[advisory({ id: 'FPA-9' }, stranger), advisory({ product: zeroBytes32 }), 'no JSON'],
          ...[advisory(), advisory({ revision: 2 }), advisory({ id: 'FPA-0', versions: ['0.9.0', '1.0.0'] })],
        ],
      }),
    );
    writeAuditFile(audit, file('said.jsonl'));
  });
  afterAll(() => audit.close());

  test('is what holds here, whatever a server hands over; the rest is told, and makes no history worse', async () => {
    expect(shownOf(audit)).toEqual([
      ['1.0.0', [], ['FPA-0 1', 'FPA-2026-1 2']],
      ['2.0.0', ['alice', 'bob'], []],
    ]);
    expect(audit.summary).toMatchObject({
      complete: true,
      saidLater: { from: 'server', unchecked: null, rebuilders: ['alice', 'bob'] },
    });
    expect(audit.summary.saidLater.passedOver).toEqual({ rebuilds: 4, advisories: 3 });
    expect(found(audit)).toEqual([
      ...['info attestation-untrusted', 'info attestation-untrusted 2.0.0'],
      ...['warn attestation-untrusted', 'warn attestation-untrusted 1.0.0'],
      ...['warn statement-disagrees', 'warn statement-disagrees 1.0.0'],
    ]);
    using offline = await auditFile(file('said.jsonl'), { trustRoot: arena.vendor.trustRoot });
    expect(shownOf(offline)).toEqual(shownOf(audit));
    expect(offline.summary.saidLater).toMatchObject({ from: 'file', unchecked: null });
    expect(found(offline)).toEqual([]);
  });

  test('is verified again from a file, which may lack it or hold what nobody has signed', async () => {
    using without = await remade('older.jsonl', (line) => (/^{"kind":"(?:advisory|rebuild)"/.test(line) ? [] : [line]));
    expect(shownOf(without)).toEqual([
      ['1.0.0', [], []],
      ['2.0.0', [], []],
    ]);
    expect(found(without)).toEqual([]);
    using forgery = await remade('forged.jsonl', (line) => {
      const { kind, text = '' } = JSON.parse(line);
      return [kind === 'advisory' || kind === 'rebuild' ? JSON.stringify({ kind, text: forged(text) }) : line];
    });
    expect(shownOf(forgery)).toEqual(shownOf(without));
    expect(forgery.summary.complete).toBe(true);
    expect(found(forgery)).toEqual(['warn attestation-untrusted', 'warn attestation-untrusted 2.0.0']);
    const foreign = JSON.stringify({ kind: 'rebuild', text: rebuild(bob) });
    using moved = await remade('moved.jsonl', (line) =>
      line.startsWith('{"kind":"attestation"') ? [line, foreign] : line.startsWith('{"kind":"rebuild"') ? [] : [line],
    );
    expect(shownOf(moved).map(([, rebuilds]) => rebuilds)).toEqual([[], ['bob']]);
    expect(found(moved)).toEqual(['warn statement-disagrees 1.0.0']);
  });

  test('is told as not checked where it cannot be', async () => {
    const failing = (path: RegExp) => ({
      answer: ({ url = '' }: { url?: string | undefined }, response: ServerResponse) => {
        if (path.test(url)) response.writeHead(503).end();
        return path.test(url);
      },
    });
    using rebuildless = await auditFrom(failing(/rebuilds/));
    expect([...rebuildless.releases()].map(({ rebuilds }) => rebuilds)).toEqual([null, null]);
    expect(rebuildless.summary).toMatchObject({ complete: true, saidLater: { advisories: [] } });
    expect(rebuildless.summary.saidLater.unchecked).toMatch(/^of 1\.0\.0 and what follows/);
    using adviceless = await auditFrom(failing(/advisories/));
    expect(shownOf(adviceless)).toEqual([
      ['1.0.0', null, null],
      ['2.0.0', null, null],
    ]);
    using rootless = await remade('rootless.jsonl', (line) =>
      line.startsWith('{"kind":"trust-root"') ? [] : [line],
    ).then(async (held) => {
      held.close();
      return auditFile(file('rootless.jsonl'));
    });
    expect(shownOf(rootless).flatMap(([, ...said]) => said)).toEqual([null, null, null, null]);
    expect(rootless.summary.saidLater.unchecked).toMatch(/^trust root [0-9a-f]{64}, which is in force, is not here/);
  });

  test('of an endless list is no more than anybody looks at, however little is in it', async () => {
    let asked = 0;
    using empty = await auditFrom({
      answer: ({ url = '' }, response) => {
        if (!/\/(?:advisories|rebuilds)/.test(url)) return false;
        asked += 1;
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[],"next":"more"}');
        return true;
      },
    });
    expect([asked, empty.summary.saidLater.unchecked, found(empty)]).toEqual([3, null, []]);
    let pages = 0;
    using endless = await auditFrom({
      answer: ({ url = '' }, response) => {
        if (!/\/(?:advisories|rebuilds)/.test(url)) return false;
        pages += 1;
        const items = Array(100).fill({ digest: 'ab'.repeat(32), receivedAt: 1, attestation: 'x' });
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ items, next: 'more' }));
        return true;
      },
    });
    expect(endless.summary.saidLater.passedOver).toEqual({ rebuilds: 2 * 1024, advisories: 2000 });
    expect(pages).toBe(2 * 11 + 20);
    expect(endless.summary.complete).toBe(true);
    expect(endless.summary.findings).toHaveLength(3);
  });
});

describe('A51 an advisory that nobody published, or that is taken back', () => {
  test('the server takes it with a token and the signature of a build key, and no older revision', async () => {
    await expectCode('authentication-required', () => anybody.publishAdvisory(product, advisory()));
    await expectCode('attestation-key-unknown', () => client.publishAdvisory(product, advisory({}, stranger)));
    await expectCode('statement-product', () => client.publishAdvisory(product, advisory({ product: zeroBytes32 })));
    await expectCode('advisory-malformed', () => client.publishAdvisory(product, advisory({ id: 'x' })));
    const text = advisory({ revision: 2 });
    const etag = await etagOfEvidence();
    const { digest } = await client.publishAdvisory(product, text);
    expect((await client.publishAdvisory(product, text)).digest).toBe(digest);
    await expectCode('advisory-revision-old', () => client.publishAdvisory(product, advisory({ revision: 1 })));
    await expectCode('advisory-revision-old', () =>
      client.publishAdvisory(product, advisory({ revision: 2, title: 'another' })),
    );
    await eventually(etagOfEvidence, (now) => now !== etag, 'evidence to carry the advisory');
    const of = async (version: string) =>
      (await listAdvisories(anybody, arena.vendor.trustRoot, parseVersion(version))).advisories.length;
    expect([await of('1.0.0'), await of('2.0.0')]).toEqual([1, 0]);
    await expectCode('advisory-not-found', async () => {
      for await (const _item of anybody.advisoryRevisions(product, 'FPA-2026-9')) expect.unreachable();
    });
  });

  test('the device shows it, whatever the verdict, and a forged one never', async () => {
    const { device } = arena;
    await attached({ advisories: [advisory({ id: 'FPA-1' }, stranger), 'no JSON', advisory({ revision: 2 })] }, device);
    expect(await shown(device)).toEqual(['FPA-2026-1 2 The radio takes commands without pairing']);
    await device.check();
    const check = await runCommand(firmproofAgent, ['check', '--config', device.configFile]);
    expect(check.stdout).toContain('\nadvisory FPA-2026-1 (high) affects what is installed: update to 1.2.0');
    // The one that runs 2.0.0 has nothing to show.
    await careful.check();
    expect(await shown(careful)).toEqual([]);
  });

  test('an older revision, the same number with another text, or silence take nothing back', async () => {
    const { device } = arena;
    const kept = await shown(device);
    for (const lie of [
      [advisory({ revision: 1, status: 'not_affected', title: 'nothing to see' })],
      [advisory({ revision: 2, status: 'not_affected', title: 'nothing to see' })],
      [],
    ]) {
      await attached({ advisories: lie }, device);
      expect(await shown(device)).toEqual(kept);
    }
    await attached({ advisories: undefined }, device);
    expect(await shown(device)).toEqual(kept);
    await attached({ advisories: [advisory({ revision: 3, title: 'worse' })] }, device);
    expect(await shown(device)).toEqual(['FPA-2026-1 3 worse']);
  });

  test('a VEX document that it names has to be here, and is open to everybody from then on', async () => {
    const file = join(arena.stack.directory, 'vex.json');
    writeFileSync(file, JSON.stringify(openVex('hub')));
    const [vex] = (await prepareDocuments({ vex: [file] })).files;
    if (vex === undefined) throw new Error('no document');
    const text = advisory({ id: 'FPA-2026-2', severity: 'low', vex: vex.document });
    await expectCode('document-missing', () => client.publishAdvisory(product, text));
    await sendAdvisory(client, parseAdvisory(text), vex);
    expect(Buffer.from(await anybody.document(product, vex.document))).toEqual(Buffer.from(vex.bytes));
  });

  test('too many are refused, and what is published beyond that leaves the worst in evidence', async () => {
    const flood = Array(maximumAdvisoriesInEvidence + 1).fill(advisory());
    expect(await codeOf({ advisories: flood }, arena.device)).toBe('evidence-malformed');
    for (let number = 1; number <= maximumAdvisoriesInEvidence + 1; number += 1)
      await client.publishAdvisory(product, advisory({ id: `LOW-${number}`, severity: 'low', status: 'fixed' }));
    const document = await eventually(
      () => arena.evidence(),
      ({ advisories }) => advisories?.length === maximumAdvisoriesInEvidence,
      'evidence to be full',
    );
    expect(
      JSON.parse(Buffer.from(JSON.parse(document.advisories[0]).dsseEnvelope.payload, 'base64').toString()),
    ).toMatchObject({
      predicate: { id: 'FPA-2026-1', revision: 2 },
    });
  });

  test('what a dropped build key has signed is gone, and an honest revision can follow', async () => {
    const { vendor, device } = arena;
    const fresh = p256Key();
    const accepted = ['1.0.0', '2.0.0'].map(
      async (version) => (await anybody.release(product, parseVersion(version))).attestation,
    );
    const changes = [addBuildKey(fresh.publicKey), dropBuildKey(build.publicKey, await Promise.all(accepted))];
    await rotate(arena.stack, vendor, vendor.trustRoot, changes, [vendor.rootKey]);
    await eventually(
      async () => {
        await device.check();
        return shown(device);
      },
      (advisories) => advisories.length === 0,
      'the advisories of the dropped key to go',
    );
    await client.publishAdvisory(product, advisory({ title: 'again' }, fresh));
    await eventually(
      async () => {
        await device.check();
        return shown(device);
      },
      (advisories) => advisories[0] === 'FPA-2026-1 1 again',
      'the advisory of the new key',
    );
  });
});

async function etagOfEvidence(): Promise<string | null> {
  const response = await fetch(`${arena.stack.url}/v1/products/${product}/channels/stable/evidence`);
  await response.arrayBuffer();
  return response.headers.get('etag');
}

/** The code that a rebuild is refused with; empty where it is taken. */
async function problemCode(attestation: string): Promise<string> {
  const response = await fetch(`${arena.stack.url}/v1/products/${product}/releases/2.0.0/rebuilds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ attestation }),
  });
  return response.ok ? '' : (await problemOf(response)).code;
}
