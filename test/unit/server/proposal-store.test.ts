import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseSigner, type Signer, zeroBytes32 } from '@firmproof/protocol';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../server/src/database/database.ts';
import { approvalsOf, createProposalStore } from '../../../server/src/proposals/proposal-store.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const directory = temporaryDirectory();
let database: Database;
let store: ReturnType<typeof createProposalStore>;
const id = zeroBytes32;

beforeAll(async () => {
  database = await openDatabase(join(directory, 'firmproof.sqlite'));
  store = createProposalStore(database, () => 1000);
});
beforeEach(async () => {
  await database.deleteFrom('proposals').execute();
  await store.open({
    id,
    kind: 'halt',
    product: zeroBytes32,
    publisher: '',
    version: null,
    channel: null,
    image_digest: null,
    image_cid: null,
    image_size: null,
    approver: '',
    held: 0,
    request: { message: {} } as never,
  });
});
afterAll(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true });
});

const signer = () => parseSigner(Wallet.createRandom().address);
const approve = (by: Signer) =>
  store.amend(id, (now) => ({
    approvals: JSON.stringify([...approvalsOf(now), { signer: by, signature: '0x', epoch: 1, at: 1000 }]),
  }));
const approvers = async () => {
  const row = await store.find(id);
  return row && approvalsOf(row).map(({ signer: by }) => by);
};

test('an approval that comes while the worker holds an older row is kept', async () => {
  const seenByWorker = await store.find(id);
  if (!seenByWorker) throw new Error('no row');
  const by = signer();
  await approve(by);
  await store.move(seenByWorker, 'approving', { reason: { code: 'approvals-missing', message: 'one is missing' } });
  expect(await approvers()).toEqual([by]);
  expect(await store.find(id)).toMatchObject({ state: 'approving', reason_code: 'approvals-missing' });
});

test('approvals that come at once are all kept', async () => {
  const signers = Array.from({ length: 20 }, signer);
  await Promise.all(signers.map(approve));
  expect((await approvers())?.sort()).toEqual([...signers].sort());
});
