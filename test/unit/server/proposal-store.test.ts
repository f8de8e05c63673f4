import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../server/src/database/database.ts';
import { approvalsOf, createProposalStore, type ProposalStore } from '../../../server/src/proposals/proposal-store.ts';

let directory: string;
let database: Database;
let store: ProposalStore;
const id = `0x${'11'.repeat(32)}`;
const account = `0x${'22'.repeat(20)}`;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'firmproof-store-'));
  database = await openDatabase(join(directory, 'test.sqlite'));
  store = createProposalStore(database, () => 1_700_000_000);
  await store.open({
    id,
    kind: 'cancel-recovery',
    product: account,
    publisher: account,
    version: null,
    channel: null,
    image_digest: null,
    image_cid: null,
    image_size: null,
    approver: account,
    held: 0,
    request: { account, message: { pending: id, deadline: 2_000_000_000 } } as never,
  });
});
afterEach(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

const approval = { signer: account, signature: '0x', epoch: 1, at: 1 };

test('an approval that arrives while the worker moves the proposal is not lost', async () => {
  const seen = await store.find(id);
  await store.amend(id, () => ({ approvals: JSON.stringify([approval]) }));
  // The worker still holds the row as it was before.
  if (seen) await store.move(seen, 'approving', { reason: { code: 'approvals-missing', message: '1 of 2' } });
  const row = await store.find(id);
  expect(row && approvalsOf(row)).toEqual([approval]);
  expect(row?.state).toBe('approving');
});

test('many at once are all kept', async () => {
  const epochs = Array.from({ length: 20 }, (_, epoch) => epoch);
  await Promise.all(
    epochs.map((epoch) =>
      store.amend(id, (row) => ({ approvals: JSON.stringify([...approvalsOf(row), { ...approval, epoch }]) })),
    ),
  );
  const row = await store.find(id);
  expect(row && approvalsOf(row).map(({ epoch }) => epoch)).toEqual(epochs);
});

test('what changes nothing tells nobody', async () => {
  const row = await store.find(id);
  if (row) await store.move(row, 'received');
  expect(await store.history(id)).toHaveLength(1);
});
