import { join } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { takeLock } from '@firmproof/protocol/node/lock-file';
import { type Clock, createClock, type MonotonicTime, machineTime, timeAtFirstBoot } from './clock.ts';
import type { AgentConfig } from './config.ts';
import { requireOwnDirectory } from './data-directory.ts';
import { type Identity, openIdentity, viewIdentity } from './identity/identity.ts';
import { createInstaller } from './installers/create-installer.ts';
import type { Installer } from './installers/installer.ts';
import { Journal, type JournalEntry } from './journal.ts';
import { SourceHealth } from './network/source-health.ts';
import type { OfflineFile } from './offline/offline-file.ts';
import { noOutcomes } from './receipts/outcomes.ts';

/** A device at work: its configuration, what it is, what it remembers. */
export type Agent = {
  readonly config: AgentConfig;
  readonly identity: Identity;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly sources: SourceHealth;
  readonly installer: Installer;
  /** A file that stands in for all servers; null where they are asked. */
  readonly offline: { readonly file: OfflineFile; readonly acceptOldBlock: boolean } | null;
  /** It only looks: nothing that it learns is stored. */
  readonly isView: boolean;
  close(): void;
};

/** Reads the device's data to look, not to act: nothing is written, whatever is missing. @throws FirmproofError `data-unreadable` */
export function viewAgent(config: AgentConfig, time: MonotonicTime = machineTime()): Agent {
  const journal = Journal.view(config.dataDirectory, firstEntry(config));
  return { ...assemble(config, viewIdentity(config), journal, time), isView: true, close: () => undefined };
}

/**
 * Opens the device's data, alone: two agents on one directory would undo each other.
 * @throws FirmproofError `install-in-progress`, `data-of-another-user`, `data-unreadable`
 */
export async function openAgent(config: AgentConfig, time: MonotonicTime = machineTime()): Promise<Agent> {
  requireOwnDirectory(config.dataDirectory);
  makeDirectory(config.dataDirectory, 0o700);
  const unlock = lock(config.dataDirectory);
  try {
    const identity = await openIdentity(config);
    const journal = await Journal.open(config.dataDirectory, firstEntry(config));
    return { ...assemble(config, identity, journal, time), isView: false, close: unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

function assemble(config: AgentConfig, identity: Identity, journal: Journal, time: MonotonicTime) {
  const clock = createClock(journal, config.image.buildTimeSeconds, time);
  const sources = SourceHealth.open(config.dataDirectory, clock.nowSeconds);
  return { config, identity, journal, clock, sources, installer: createInstaller(config.installer), offline: null };
}

/** What a device remembers that has never started. */
const firstEntry = (config: AgentConfig): JournalEntry => ({
  state: 'idle',
  target: null,
  trialDeadlineSeconds: null,
  trialBoot: null,
  failure: null,
  installed: { version: config.image.version, image: config.image.digest },
  rollbackFloor: config.image.rollbackIndex,
  lastProven: null,
  time: timeAtFirstBoot(config.imageTrustRoot.madeAt ?? 0, config.image.buildTimeSeconds),
  trustRoot: null,
  trustRootGrounds: null,
  outcomes: noOutcomes,
  failed: [],
  nextCheck: null,
  lastVerdict: null,
  standing: null,
});

function lock(dataDirectory: string): () => void {
  const taken = takeLock(join(dataDirectory, 'agent.pid'));
  if ('release' in taken) return taken.release;
  throw new FirmproofError('install-in-progress', `process ${taken.owner} works on ${dataDirectory}`);
}
