// Documents about releases: sent before them, kept like images, and given to nobody before the release is installable.
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildStatement, prepareDocuments, signAction, signAttestation } from '@firmproof/client';
import {
  attestationDigest,
  bytes32OfDigest,
  parseAttestation,
  type ReleaseDocument,
  rawCidOf,
  sha256,
} from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDevice } from '../support/device.ts';
import { multipart, problemOf } from '../support/http.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';
import { cycloneDx, openVex } from '../support/supply-chain.ts';
import { travel } from '../support/time.ts';
import { type Upload, Uploader } from '../support/upload.ts';

const windowSeconds = 7200;
const directory = temporaryDirectory();
let stack: Stack;
let uploader: Uploader;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_DAILY_UPLOAD_BYTES: '40000000' });
  uploader = await Uploader.open(stack, await makeVendor(stack, { delaySeconds: windowSeconds }));
});
afterAll(async () => {
  await destroyStack(stack);
  rmSync(directory, { recursive: true });
});

const product = () => uploader.vendor.product;
const path = (digest = '') => `${stack.url}/v1/products/${product()}/documents${digest && `/${digest}`}`;
const authorization = (token = uploader.token) => ({ authorization: `Bearer ${token}` });
const send = (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = authorization()) =>
  fetch(path(), { method: 'POST', headers, body, ...(body instanceof ReadableStream && { duplex: 'half' as const }) });
const code = async (response: Promise<Response>) => (await problemOf(await response)).code;

function documentOf(content: string, more: Partial<ReleaseDocument> = {}): ReleaseDocument {
  const digest = sha256(Buffer.from(content));
  const sizeBytes = Buffer.byteLength(content);
  return {
    kind: 'notes',
    format: 'text',
    mediaType: 'text/plain',
    name: 'notes.txt',
    digest,
    cid: rawCidOf(digest),
    sizeBytes,
    ...more,
  };
}

/** A release whose statement says what no command would write. */
async function attested(version: string, more: object): Promise<Upload> {
  const good = await uploader.prepare(version);
  const { digest } = good.image;
  const { predicate } = parseAttestation(good.attestation).statement;
  const statement = buildStatement('image.bin', digest, { ...predicate, ...more });
  const attestation = await signAttestation(statement, uploader.vendor.buildKey);
  const message = { ...good.message, attestation: bytes32OfDigest(attestationDigest(attestation)) };
  const signature = await signAction(uploader.vendor.wallet, stack.info, 'Publish', message);
  return { ...good, attestation, message, approval: JSON.stringify({ message, signature }) };
}

const propose = ({ attestation, approval, bytes }: Upload) =>
  uploader.send(
    multipart([
      ['attestation', attestation],
      ['approval', approval],
      ['image', bytes, true],
    ]),
  );

describe('sending a document', () => {
  test('answers with its digest, CID and size, again and again, and keeps it once', async () => {
    const content = randomBytes(1_500_000);
    const response = await send(content);
    expect(response.status).toBe(201);
    const said = await response.json();
    expect(said).toMatchObject({ digest: sha256(content), sizeBytes: content.length });
    const blocks = uploader.blocks();
    expect(await (await send(content)).json()).toEqual(said);
    expect(uploader.blocks()).toBe(blocks);
    // JSON is no other thing than bytes here.
    const json = await send('{"a":', { ...authorization(), 'content-type': 'application/json' });
    expect(await json.json()).toMatchObject({ digest: sha256(Buffer.from('{"a":')), sizeBytes: 5 });
  });

  test('takes a token of somebody who may propose releases', async () => {
    expect(await code(send('x', {}))).toBe('authentication-required');
    expect(await code(send('x', authorization(`fp_${'A'.repeat(43)}`)))).toBe('token-invalid');
    const other = await Uploader.open(stack, await makeVendor(stack, { name: 'other' }));
    expect(await code(send('x', authorization(other.token)))).toBe('token-scope');
  });

  test('has a limit, whether the size is announced or not, and nothing of what is refused stays', async () => {
    const before = uploader.blocks();
    expect(await code(send(''))).toBe('document-empty');
    const large = Buffer.alloc(32 * 1024 * 1024 + 1, 7);
    expect(await code(send(large))).toBe('document-too-large');
    expect(await code(send(ReadableStream.from([large.subarray(0, 1_000_000), large])))).toBe('document-too-large');
    expect(uploader.blocks()).toBe(before);
  });
});

describe('a release that names documents', () => {
  test('is refused where they are not here, or are of another size or CID', async () => {
    const missing = documentOf('nobody has sent this');
    expect(await code(propose(await attested('0.1.0', { documents: [missing] })))).toBe('document-missing');
    await send('sent');
    const sent = documentOf('sent');
    for (const wrong of [{ sizeBytes: 5 }, { cid: missing.cid }])
      expect(await code(propose(await attested('0.1.0', { documents: [{ ...sent, ...wrong }] })))).toBe(
        'document-mismatch',
      );
    const sbom = { format: 'spdx' as const, digest: missing.digest };
    const documents = [{ ...sent, kind: 'sbom', format: 'spdx' }];
    expect(await code(propose(await attested('0.1.0', { documents, sbom })))).toBe('document-mismatch');
  });

  test('is taken with kinds that nobody knows yet', async () => {
    await send('sent');
    const strange = { kind: 'attest-2031', format: 'new', mediaType: 'application/x-new', name: 'x' };
    const response = await propose(await attested('0.2.0', { documents: [documentOf('sent', strange)] }));
    expect(response.status).toBe(202);
  });
});

describe('what is attached to a release', () => {
  const hostile = '<!doctype html><script>alert(document.domain)</script>';
  let named: readonly ReleaseDocument[];
  let proposal: string;
  const read = (digest: string, headers: Record<string, string> = {}) => fetch(path(digest), { headers });
  const proposed = (digest: string, headers: Record<string, string> = {}) =>
    fetch(`${stack.url}/v1/proposals/${proposal}/documents/${digest}`, { headers });

  beforeAll(async () => {
    const file = (name: string, content: string) => {
      writeFileSync(join(directory, name), content);
      return join(directory, name);
    };
    const documents = await prepareDocuments({
      sboms: [file('a.json', JSON.stringify(cycloneDx([{ name: 'zlib', version: '1.3' }])))],
      vex: [file('vex.json', JSON.stringify(openVex('test-product')))],
      notes: [file('notes.md', hostile)],
    });
    named = documents.files.map(({ document }) => document);
    const options = {
      documents,
      severity: 'critical' as const,
      fixedVulnerabilities: ['CVE-2026-12345'],
      supportUntil: '2031-12-31',
    };
    const prepared = await uploader.prepare('1.0.0', randomBytes(5000), options);
    const { vendor } = uploader.vendor;
    proposal = (await vendor.upload(prepared.file, prepared)).id;
    await vendor.client.follow(proposal);
  });

  test('is given to nobody but its publisher while the release is in its window', async () => {
    const { digest, cid } = named[1] as ReleaseDocument;
    for (const response of [read(digest), proposed(digest)])
      expect(['document-missing', 'authentication-required']).toContain(await code(response));
    expect(await code(fetch(`${stack.url}/ipfs/${cid}?format=raw`))).toBe('block-not-found');
    const other = await Uploader.open(stack, await makeVendor(stack, { name: 'third' }));
    expect(await code(read(digest, authorization(other.token)))).toBe('document-missing');
    expect(await code(proposed(digest, authorization(other.token)))).toBe('token-scope');
    const own = await read(digest, authorization());
    expect(own.headers.get('cache-control')).toBe('private, no-store');
    expect(sha256(await own.bytes())).toBe(digest);
    expect(sha256(await (await proposed(digest, authorization())).bytes())).toBe(digest);
    // Nor to a cache on the way, which would give it to everybody.
    for (const query of ['', '?format=raw', '?format=car']) {
      const block = await fetch(`${stack.url}/ipfs/${cid}${query}`, { headers: authorization() });
      expect([block.status, block.headers.get('cache-control')]).toEqual([200, 'private, no-store']);
    }
    // The release itself tells nothing of it either.
    const address = `${stack.url}/v1/products/${product()}/releases/1.0.0`;
    expect(await (await fetch(address)).text()).not.toMatch(/CVE|critical|document|2031/);
    expect(await (await fetch(address, { headers: authorization() })).json()).toMatchObject({
      severity: 'critical',
      fixedVulnerabilities: ['CVE-2026-12345'],
      supportUntil: '2031-12-31',
    });
  });

  test('survives a start of the server, with what is not named by then for a day', async () => {
    const { digest: unnamed } = (await (await send('waits for its release')).json()) as { digest: string };
    await stack.stop();
    const { port } = new URL(stack.url);
    stack = await startStack(stack.directory, { FIRMPROOF_DAILY_UPLOAD_BYTES: '40000000', FIRMPROOF_PORT: port });
    for (const digest of [unnamed, ...named.map((document) => document.digest)])
      expect((await read(digest, authorization())).status).toBe(200);
  });

  test('is open to everybody once the release is installable, as a file that no browser runs', async () => {
    await travel(stack, windowSeconds);
    const notes = named[2] as ReleaseDocument;
    const response = await eventually(
      () => read(notes.digest),
      ({ ok }) => ok,
      'the documents to be open',
    );
    expect(await response.text()).toBe(hostile);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${notes.digest}"`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
    });
    expect(response.headers.get('cache-control')).toContain('immutable');
    const etag = response.headers.get('etag') ?? '';
    expect((await read(notes.digest, { 'if-none-match': etag })).status).toBe(304);
    expect((await fetch(path(notes.digest), { method: 'HEAD' })).headers.get('content-length')).toBe(
      String(hostile.length),
    );
    const block = await fetch(`${stack.url}/ipfs/${notes.cid}?format=raw`);
    expect(sha256(await block.bytes())).toBe(notes.digest);
  });

  test('is told by a device that takes the release', async () => {
    const device = makeDevice(uploader.vendor.trustRoot, [stack.url]);
    await uploader.vendor.promote('1.0.0');
    const ready = async () => (await device.check()).verdict;
    await eventually(ready, ({ outcome }) => outcome === 'update', 'the release to be offered');
    expect(await device.install()).toMatchObject({ outcome: 'installed' });
    const about = { severity: 'critical', fixedVulnerabilities: ['CVE-2026-12345'], supportUntil: '2031-12-31' };
    expect(await device.status()).toMatchObject({ installed: { version: '1.0.0', about }, targetAbout: null });
    device.destroy();
  });

  test('paths lead nowhere', async () => {
    for (const name of ['notes.md', '..%2f..%2ffirmproof.sqlite', '0'.repeat(63)])
      expect(await code(read(name))).toBe('digest-invalid');
    expect(await code(read('0'.repeat(64)))).toBe('document-missing');
  });
});

test('the daily quota of uploads counts documents too', async () => {
  const large = () => send(Buffer.alloc(20_000_000, randomBytes(8)));
  const codes: unknown[] = [];
  for (let count = 0; count < 3; count += 1) {
    const response = await large();
    codes.push(response.ok ? response.status : (await problemOf(response)).code);
  }
  expect(codes).toEqual([201, 201, 'quota-exceeded']);
});
