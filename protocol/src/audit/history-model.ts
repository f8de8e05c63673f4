import type { Address, Bytes32 } from '../bytes.ts';
import type { Sha256Digest } from '../digest.ts';
import type { Channel, Version } from '../names.ts';
import type { Entry } from './entry.ts';
import type { ConfigurationValues } from './event.ts';

/** A release as its events tell it. Times are seconds since 1970. */
export type ReleaseHistory = {
  readonly version: Version;
  readonly image: Sha256Digest;
  readonly attestation: Sha256Digest;
  readonly rollbackIndex: number;
  readonly sequence: number;
  readonly publishedAt: number;
  /** The end of the veto window: `publishedAt` and the delay at that time. */
  readonly installableFrom: number;
  readonly block: Entry['block'];
  readonly transaction: Bytes32;
  /** The publisher at that time: who had to approve it. */
  readonly publisher: Address;
  /** The trust root that was in force: who had to have signed it. */
  readonly trustRoot: Sha256Digest;
  readonly revoked: { readonly at: number; readonly approver: Address; readonly sequence: number } | null;
  /** The sequences of the promotions that made it a head. */
  readonly promotions: readonly number[];
};

export type ChannelMove = {
  readonly sequence: number;
  readonly at: number;
  readonly version: Version;
  readonly counter: number;
  readonly start: number;
  readonly durationSeconds: number;
  readonly firstShareBasisPoints: number;
  /** Whether it led to a release that was published before the last head, or that has a lower rollback index (V9). */
  readonly backwards: boolean;
};

export type ChannelHalt = {
  readonly sequence: number;
  readonly at: number;
  readonly approver: Address;
  readonly halts: number;
  readonly counter: number;
};

export type ChannelHistory = {
  readonly channel: Channel;
  readonly moves: readonly ChannelMove[];
  readonly halts: readonly ChannelHalt[];
  readonly halted: boolean;
  /** The head. */
  readonly version: Version;
};

export type ConfigurationField = 'publisher' | 'guardian' | 'delay' | 'trust-root';

/** A step of a change of keys or policy. */
export type ConfigurationChange = {
  readonly kind: 'scheduled' | 'applied' | 'vetoed';
  readonly sequence: number;
  readonly at: number;
  readonly block: Entry['block'];
  readonly transaction: Bytes32;
  readonly pending: Bytes32;
  /** What it changes of what was in force before. */
  readonly changes: readonly ConfigurationField[];
  /** What it changes it to. */
  readonly values: ConfigurationValues;
};

/** A configuration that waits for the end of its delay. */
export type PendingConfiguration = ConfigurationValues & {
  /** Struct hash of the signed Configure. */
  readonly pending: Bytes32;
  readonly signedEpoch: number;
  readonly deadline: number;
  readonly pendingFrom: number;
  readonly vetoable: boolean;
  readonly sequence: number;
  readonly scheduledAt: number;
};
