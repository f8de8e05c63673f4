// How long documents are kept, and for whom: on a database of their own, with a clock that is turned.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  parseAddress,
  parseProductId,
  type ReleasePredicate,
  rawCidOf,
  type Sha256Digest,
  sha256,
} from '@firmproof/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../server/src/database/database.ts';
import { createDocuments, type Documents } from '../../../server/src/documents/documents.ts';
import { createImageStore, type ImageStore } from '../../../server/src/images/image-store.ts';
import { expectCode } from '../../support/expect-code.ts';

const day = 86_400;
const product = parseProductId(`0x${'ab'.repeat(32)}`);
const other = parseProductId(`0x${'cd'.repeat(32)}`);
const publisher = parseAddress(`0x${'22'.repeat(20)}`);
let directory: string;
let database: Database;
let store: ImageStore;
let documents: Documents;
let now: number;

beforeEach(async () => {
  now = 1_800_000_000;
  directory = mkdtempSync(join(tmpdir(), 'firmproof-documents-'));
  database = await openDatabase(join(directory, 'test.sqlite'));
  store = createImageStore(join(directory, 'blocks'));
  await store.open();
  documents = createDocuments({ database, store, nowSeconds: () => now });
});
afterEach(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

const digestOf = (text: string): Sha256Digest => sha256(Buffer.from(text));
async function keep(text: string, of = product): Promise<Sha256Digest> {
  async function* bytes() {
    yield Buffer.from(text);
  }
  const received = await store.receive(bytes(), 1000);
  await documents.pin(of, received);
  received.release();
  return received.digest;
}

const predicateOf = (...digests: Sha256Digest[]): ReleasePredicate =>
  ({ documents: digests.map((digest) => ({ digest })) }) as unknown as ReleasePredicate;
const release = (attestation: Sha256Digest, status: number, installableFrom: number) =>
  database
    .insertInto('releases')
    .values({
      product,
      version: `1.0.${status}-${attestation.slice(0, 4)}`,
      status,
      rollback_index: 0,
      sequence: 1,
      published_at: now,
      installable_from: installableFrom,
      image: digestOf('image'),
      attestation,
    })
    .execute();

/** As the server does at its start. */
async function restart(): Promise<void> {
  await documents.dropUnused();
  await store.collectGarbage(new Set(await documents.pinned()));
}
const isHere = async (digest: Sha256Digest) =>
  (await documents.find(product, digest)) !== null && (await store.has(rawCidOf(digest)));

test('what a release names stays; what nothing names goes after a day, with its blocks', async () => {
  const [named, rejected, unnamed] = [await keep('named'), await keep('rejected'), await keep('unnamed')];
  await documents.name(product, digestOf('attestation'), digestOf('image'), predicateOf(named));
  await documents.name(
    product,
    digestOf('attestation of a rejected proposal'),
    digestOf('no image'),
    predicateOf(rejected),
  );
  await release(digestOf('attestation'), 1, now + 10);
  await restart();
  expect(await Promise.all([named, rejected, unnamed].map(isHere))).toEqual([true, true, true]);
  now += day + 1;
  // Sent again, it waits for another day.
  await keep('unnamed');
  const fresh = await keep('fresh');
  await restart();
  expect(await Promise.all([named, rejected, unnamed, fresh].map(isHere))).toEqual([true, false, true, true]);
  now += day + 1;
  await restart();
  expect(await Promise.all([named, unnamed, fresh].map(isHere))).toEqual([true, false, false]);
});

test('only a release that is installable and not revoked opens what it names, of its own product', async () => {
  const [open, later, revoked] = [await keep('open'), await keep('later'), await keep('revoked')];
  await keep('open', other);
  for (const [text, digest, status, from] of [
    ['a', open, 1, now],
    ['b', later, 1, now + 1],
    ['c', revoked, 2, now],
  ] as const) {
    await documents.name(product, digestOf(text), digestOf('image'), predicateOf(digest));
    await release(digestOf(text), status, from);
  }
  await documents.openInstallable(now);
  const isOpen = async (digest: Sha256Digest, of = product) => (await documents.find(of, digest))?.isOpen;
  expect([await isOpen(open), await isOpen(later), await isOpen(revoked)]).toEqual([true, false, false]);
  expect(await isOpen(open, other)).toBe(false);
  const nobody = () => Promise.resolve(null);
  expect(await documents.mayRead(rawCidOf(open), nobody)).toBe(true);
  expect(await documents.mayRead(rawCidOf(later), nobody)).toBe(false);
  expect(await documents.mayRead(rawCidOf(later), () => Promise.resolve(publisher))).toBe(false);
  expect(await documents.findNamed(digestOf('b'), later)).toMatchObject({ digest: later });
  expect(await documents.findNamed(digestOf('b'), open)).toBeNull();
});

test('a thousand documents that are in no release are enough', async () => {
  const rows = Array.from({ length: 1000 }, (_, index) => {
    const digest = digestOf(String(index));
    return { digest, product, cid: rawCidOf(digest), size: 1, received_at: now, open: 0 };
  });
  for (let start = 0; start < rows.length; start += 100)
    await database
      .insertInto('documents')
      .values(rows.slice(start, start + 100))
      .execute();
  await expectCode('quota-exceeded', () => documents.requireRoom(product));
  await documents.requireRoom(other);
  await documents.name(product, digestOf('a'), digestOf('image'), predicateOf(digestOf('7')));
  await documents.requireRoom(product);
});
