import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal, type JournalEntry } from '../../../../device-agent/src/journal.ts';
import { temporaryDirectory } from '../../../support/stack.ts';

let data: string;
beforeEach(() => {
  data = temporaryDirectory();
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const image = 'ab'.repeat(32);
/** As an agent of before the state machine wrote it. */
const older = {
  target: { version: '2.0.0', image, rollbackIndex: 1, sizeBytes: 5, headCounter: 3, slot: 'b', previousSlot: 'a' },
  trialDeadlineSeconds: 1234,
  installed: { version: '1.0.0', image: null },
  rollbackFloor: 1,
  lastProven: null,
  time: { seconds: 7, bootId: 'x', uptimeSeconds: 5 },
  trustRoot: null,
  failed: [{ image, headCounter: 2, reason: 'it was ill' }],
  lastVerdict: null,
};

test.each(['idle', 'downloading', 'staged', 'activating', 'trial', 'rolling-back'])(
  'a journal of an older agent in state %s is read, and what it does not have gets its default',
  async (state) => {
    const content = JSON.stringify({ ...older, state });
    const checksum = createHash('sha256').update(content).digest('hex');
    writeFileSync(join(data, 'journal.json'), JSON.stringify({ checksum, content }));
    const { entry, recoveredFrom } = await Journal.open(data, {} as JournalEntry);
    expect(recoveredFrom).toBeNull();
    expect(entry).toMatchObject({ ...older, state, trialBoot: null, failure: null });
    expect(entry.failed).toEqual([{ ...older.failed[0], version: null, code: 'health-check-failed' }]);
  },
);
