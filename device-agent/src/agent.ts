import { join } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { takeLock } from '@firmproof/protocol/node/lock-file';
import { type Clock, createClock, type MonotonicTime, machineTime, timeAtFirstBoot } from './clock.ts';
import type { AgentConfig } from './config.ts';
import { type Identity, openIdentity } from './identity/identity.ts';
import { createInstaller } from './installers/create-installer.ts';
import type { Installer } from './installers/installer.ts';
import { Journal } from './journal.ts';
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
  close(): void;
};

/** Reads the device's data without keeping others away: to look, not to act. */
export async function loadAgent(config: AgentConfig, time: MonotonicTime = machineTime()): Promise<Agent> {
  const identity = await openIdentity(config);
  const journal = await Journal.open(config.dataDirectory, {
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
  const clock = createClock(journal, config.image.buildTimeSeconds, time);
  const sources = SourceHealth.open(config.dataDirectory, clock.nowSeconds);
  const installer = createInstaller(config.installer);
  return { config, identity, journal, clock, sources, installer, offline: null, close: () => undefined };
}

/** Opens the device's data, alone: two agents on one directory would undo each other. @throws FirmproofError `install-in-progress` */
export async function openAgent(config: AgentConfig, time: MonotonicTime = machineTime()): Promise<Agent> {
  makeDirectory(config.dataDirectory, 0o700);
  const unlock = lock(config.dataDirectory);
  try {
    return { ...(await loadAgent(config, time)), close: unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

function lock(dataDirectory: string): () => void {
  const taken = takeLock(join(dataDirectory, 'agent.pid'));
  if ('release' in taken) return taken.release;
  throw new FirmproofError('install-in-progress', `process ${taken.owner} works on ${dataDirectory}`);
}
