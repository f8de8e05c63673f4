import type { Sha256Digest, Version } from '@firmproof/protocol';
import type { Agent } from './agent.ts';
import { noRetries, type Retries } from './backoff.ts';
import { isoTime } from './clock.ts';
import type { JournalEntry } from './journal.ts';
import { type SourceStatus, sourceStatus } from './network/source-status.ts';
import { heldTrustRoot } from './trust.ts';

/** What a device says about itself. No secret is in it. */
export type Status = {
  readonly device: string;
  readonly publicKey: string;
  readonly product: string;
  readonly channel: string;
  readonly hardware: string;
  readonly installed: { readonly version: Version; readonly image: Sha256Digest | null };
  readonly slot: string | null;
  readonly state: JournalEntry['state'];
  readonly target: Version | null;
  readonly rollbackFloor: number;
  readonly trustRootVersion: number;
  readonly sequence: number | null;
  /** Whole days of device time since evidence last verified. */
  readonly daysInSilence: number;
  readonly reportsWaiting: number;
  readonly trustedTime: string;
  readonly lastVerdict: JournalEntry['lastVerdict'];
  /** Trusted time of the next check, and how often in a row one came to nothing for the same reason. */
  readonly nextCheck: string | null;
  readonly retries: Retries;
  readonly sources: readonly SourceStatus[];
  readonly recoveredFrom: string | null;
};

export async function statusOf(agent: Agent): Promise<Status> {
  const { config, identity, journal, clock, installer } = agent;
  const root = heldTrustRoot(agent);
  const { installed, state, target, rollbackFloor, lastProven, lastVerdict, nextCheck } = journal.entry;
  return {
    device: identity.id,
    publicKey: identity.key.publicKey,
    product: root.product,
    channel: config.channel,
    hardware: config.hardware,
    installed,
    slot: await installer.running(),
    state,
    target: target?.version ?? null,
    rollbackFloor,
    trustRootVersion: root.version,
    sequence: lastProven?.sequence ?? null,
    daysInSilence: Math.floor(clock.silentSeconds() / 86_400),
    reportsWaiting: journal.entry.reports.waiting.length,
    trustedTime: isoTime(clock.nowSeconds()),
    lastVerdict,
    nextCheck: nextCheck && isoTime(nextCheck.dueSeconds),
    retries: nextCheck?.retries ?? noRetries,
    sources: sourceStatus(agent.sources),
    recoveredFrom: journal.recoveredFrom,
  };
}
