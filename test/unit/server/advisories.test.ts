// Advisories that a server keeps, on a database of its own: a stolen build key is dropped, and then nothing of it is in the way.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseProductId, rawCidOf, sha256, type TrustRoot } from '@firmproof/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../server/src/database/database.ts';
import { createDocuments } from '../../../server/src/documents/documents.ts';
import { createImageStore } from '../../../server/src/images/image-store.ts';
import { type Advisories, createAdvisories } from '../../../server/src/said-later/advisories.ts';
import { testProduct } from '../../support/documents.ts';
import { p256Key, type TestKey } from '../../support/keys.ts';
import { advisoryStatementOf, signedBy } from '../../support/said-later.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const [stolen, fresh] = [p256Key(), p256Key()];
const product = parseProductId(testProduct);
const rootOf = (key: TestKey) => ({ product: testProduct, buildKeys: [key.publicKey] }) as unknown as TrustRoot;
const nowSeconds = () => 1_800_000_000;

let directory: string;
let database: Database;
let advisories: Advisories;

beforeEach(async () => {
  directory = temporaryDirectory();
  database = await openDatabase(join(directory, 'test.sqlite'));
  const documents = createDocuments({ database, store: createImageStore(join(directory, 'blocks')), nowSeconds });
  advisories = createAdvisories({ database, documents, nowSeconds });
});
afterEach(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

const receive = (key: TestKey, predicate: object = {}) =>
  advisories.receive(signedBy(key, advisoryStatementOf(predicate)), product, rootOf(key), {});
const listed = async (key: TestKey) => (await advisories.list(product, async () => rootOf(key), null)).length;

test('what is said again with a new key counts, though the same was said with one that was dropped', async () => {
  await receive(stolen);
  expect(await listed(fresh)).toBe(0);
  expect((await receive(fresh)).isNew).toBe(true);
  expect(await listed(fresh)).toBe(1);
  expect((await receive(fresh)).isNew).toBe(false);
});

test('a flood by a key that was dropped leaves room', async () => {
  await receive(stolen);
  const row = await database.selectFrom('advisories').selectAll().executeTakeFirstOrThrow();
  for (let revision = 2; revision <= 1000; revision += 1)
    await database
      .insertInto('advisories')
      .values({ ...row, revision })
      .execute();
  await expect(receive(stolen, { revision: 2000 })).rejects.toMatchObject({ code: 'quota-exceeded' });
  expect((await receive(fresh)).isNew).toBe(true);
});

test('a document that it names is opened also where the server went down before it was', async () => {
  const bytes = Buffer.from('vex');
  const digest = sha256(bytes);
  const file = { mediaType: 'application/json', name: 'a.vex', digest, cid: rawCidOf(digest), sizeBytes: bytes.length };
  const vex = { kind: 'vex', format: 'openvex', ...file };
  const row = { digest, product: testProduct, cid: vex.cid, size: bytes.length, received_at: nowSeconds(), open: 0 };
  await database.insertInto('documents').values(row).execute();
  const isOpen = async () => (await database.selectFrom('documents').select('open').executeTakeFirstOrThrow()).open;
  await receive(fresh, { vex });
  expect(await isOpen()).toBe(1);
  await database.updateTable('documents').set({ open: 0 }).execute();
  expect((await receive(fresh, { vex })).isNew).toBe(false);
  expect(await isOpen()).toBe(1);
});
