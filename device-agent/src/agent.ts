import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';
import { type Clock, createClock } from './clock.ts';
import type { AgentConfig } from './config.ts';
import { type Identity, openIdentity } from './identity.ts';
import { Journal } from './journal.ts';
import { createSlots, type Slots } from './slots.ts';

/** A device at work: its configuration, what it is, what it remembers. */
export type Agent = {
  readonly config: AgentConfig;
  readonly identity: Identity;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly slots: Slots;
  close(): void;
};

/** Reads the device's data without keeping others away: to look, not to act. */
export async function loadAgent(config: AgentConfig): Promise<Agent> {
  const identity = await openIdentity(config.dataDirectory);
  const journal = await Journal.open(config.dataDirectory, {
    state: 'idle',
    target: null,
    trialDeadlineSeconds: null,
    installed: { version: config.image.version, image: config.image.digest },
    rollbackFloor: config.image.rollbackIndex,
    lastProven: null,
    time: { seconds: config.image.buildTimeSeconds, bootId: '', uptimeSeconds: 0 },
    trustRoot: null,
    failed: [],
    lastVerdict: null,
  });
  const clock = createClock(journal, config.image.buildTimeSeconds);
  return { config, identity, journal, clock, slots: createSlots(config.slots.directory), close: () => undefined };
}

/** Opens the device's data, alone: two agents on one directory would undo each other. @throws FirmproofError `install-in-progress` */
export async function openAgent(config: AgentConfig): Promise<Agent> {
  mkdirSync(config.dataDirectory, { recursive: true, mode: 0o700 });
  const unlock = lock(config.dataDirectory);
  try {
    return { ...(await loadAgent(config)), close: unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

function lock(dataDirectory: string): () => void {
  const file = join(dataDirectory, 'agent.pid');
  if (existsSync(file)) {
    const owner = Number(readFileSync(file, 'utf8'));
    if (owner > 0 && isRunning(owner))
      throw new FirmproofError('install-in-progress', `process ${owner} works on ${dataDirectory}`);
    rmSync(file, { force: true });
  }
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new FirmproofError('install-in-progress', `another process works on ${dataDirectory}`, { cause });
  }
  return () => rmSync(file, { force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
