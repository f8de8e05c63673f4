import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';
import { syncDirectory } from '@firmproof/protocol/node/atomic-file';
import type { Agent } from '../agent.ts';

/** factory: all that the device has made or remembers. new-owner: who it is and what people chose; what it trusts stays. */
export type ResetKind = 'factory' | 'new-owner';

/** The endings of everything that the agent writes into its data directory, but for its lock. */
const agentFile = /\.(?:json|key)(?:\.damaged|\.new)?$/;
const ownersFile = /^(?:identity|device|receipts|enrolment|choice)\./;

/**
 * K4. Forgets; the next start makes a new id and a new key. What runs, and the images in the slots, stay as they are.
 * @throws FirmproofError `install-in-progress` while an update is on its way or on trial
 */
export async function reset({ config, journal }: Pick<Agent, 'config' | 'journal'>, kind: ResetKind): Promise<void> {
  const { state } = journal.entry;
  if (state !== 'idle')
    throw new FirmproofError('install-in-progress', `an update is ${state}: let it end, then reset`);
  const { dataDirectory } = config;
  // The new one does not speak for the one before. Twice, so that the entry before this one does not either.
  await journal.write({ outcomes: { ...journal.entry.outcomes, recent: [] } });
  await journal.write({});
  const doomed = readdirSync(dataDirectory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && agentFile.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => kind === 'factory' || ownersFile.test(name));
  // The key last: until it is gone the reset can be seen not to have ended, and is made again.
  for (const name of doomed.sort((a, b) => Number(a.startsWith('device.')) - Number(b.startsWith('device.')))) {
    await rm(join(dataDirectory, name), { force: true });
  }
  await syncDirectory(dataDirectory);
}
