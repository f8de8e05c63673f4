import type { Sha256Digest, Version } from '@firmproof/protocol';
import type { Agent } from './agent.ts';
import { heldTrustRoot } from './check.ts';
import type { JournalEntry } from './journal.ts';

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
  readonly trustedTime: string;
  readonly lastVerdict: JournalEntry['lastVerdict'];
  readonly recoveredFrom: string | null;
};

export function statusOf(agent: Agent): Status {
  const { config, identity, journal, clock, slots } = agent;
  const { installed, state, target, rollbackFloor, lastProven, lastVerdict } = journal.entry;
  return {
    device: identity.id,
    publicKey: identity.publicKey,
    product: config.imageTrustRoot.product,
    channel: config.channel,
    hardware: config.hardware,
    installed,
    slot: slots.current(),
    state,
    target: target?.version ?? null,
    rollbackFloor,
    trustRootVersion: heldTrustRoot(agent).version,
    sequence: lastProven?.sequence ?? null,
    trustedTime: new Date(Math.floor(clock.nowSeconds()) * 1000).toISOString(),
    lastVerdict,
    recoveredFrom: journal.recoveredFrom,
  };
}
