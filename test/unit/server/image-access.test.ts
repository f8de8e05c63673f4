// Which blocks the world may have, and from when: on a database of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseProductId, rawCidOf, sha256 } from '@firmproof/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../server/src/database/database.ts';
import { createImageAccess, type ImageAccess } from '../../../server/src/images/image-access.ts';
import { createImageStore, type ImageStore } from '../../../server/src/images/image-store.ts';

const product = parseProductId(`0x${'ab'.repeat(32)}`);
const image = sha256(Buffer.from('image'));
const attestation = (text: string) => ({ digest: sha256(Buffer.from(text)), text });
let directory: string;
let database: Database;
let store: ImageStore;
let access: ImageAccess;

const open = async () => {
  database = await openDatabase(join(directory, 'test.sqlite'));
  access = createImageAccess(database, store);
};
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'firmproof-access-'));
  store = createImageStore(join(directory, 'blocks'));
  await store.open();
  await open();
});
afterEach(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

async function pin(text: string): Promise<void> {
  async function* bytes() {
    yield Buffer.from('image');
  }
  const received = await store.receive(bytes(), 1000);
  await access.pin(product, received, attestation(text));
  received.release();
}
async function publish(text: string, installableFrom: number, status = 1): Promise<void> {
  await pin(text);
  const at = { published_at: installableFrom, installable_from: installableFrom, rollback_index: 0, sequence: 1 };
  const row = { product, version: `1.0.0-${text}`, status, image, attestation: attestation(text).digest, ...at };
  await database.insertInto('releases').values(row).execute();
}
const nobody = () => Promise.resolve(null);
const seen = (text: string) => access.mayRead(rawCidOf(attestation(text).digest), nobody);
const imageSeen = () => access.mayRead(rawCidOf(image), nobody);

test('releases of the same image open each with its own attestation', async () => {
  await publish('first', 100);
  await publish('second', 200);
  await access.openInstallable(100);
  expect([await seen('first'), await seen('second'), await imageSeen()]).toEqual([true, false, true]);
  await access.openInstallable(200);
  expect([await seen('first'), await seen('second')]).toEqual([true, true]);
  await publish('third', 300);
  await pin('only proposed');
  await access.openInstallable(300);
  expect([await seen('third'), await seen('only proposed')]).toEqual([true, false]);
});

test('of a release that was revoked in its window the attestation opens in the end, the image does not', async () => {
  await publish('first', 100, 2);
  await access.openInstallable(99);
  expect(await seen('first')).toBe(false);
  await access.openInstallable(100);
  expect([await seen('first'), await imageSeen()]).toEqual([true, false]);
});

test('what an older server has stored, and left closed, is opened', async () => {
  await publish('first', 100);
  await access.openInstallable(100);
  await publish('second', 200);
  await database.destroy();
  const older = new DatabaseSync(join(directory, 'test.sqlite'));
  older.exec(`DROP INDEX image_blocks_attestation; ALTER TABLE image_blocks DROP COLUMN attestation;
    DELETE FROM kysely_migration WHERE name LIKE '%attestation-blocks'`);
  older.close();
  await open();
  await access.openInstallable(200);
  expect([await seen('first'), await seen('second'), await imageSeen()]).toEqual([true, true, true]);
});
