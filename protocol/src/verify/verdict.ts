import type { Attestation } from '../attestation.ts';
import type { Bytes32 } from '../bytes.ts';
import type { Sha256Digest } from '../digest.ts';
import type { DeviceCode } from '../error-codes.ts';
import type { Channel, Version } from '../names.ts';
import type { HeadSchedule, ReleaseState } from '../storage-layout.ts';
import type { TrustRoot } from '../trust-root.ts';

/** What a device knows about itself; nothing of it comes from a server. */
export type DeviceState = {
  readonly channel: Channel;
  readonly hardware: string;
  readonly installed: { readonly version: Version; readonly image: Sha256Digest | null };
  /** The highest rollback index that this device has confirmed. */
  readonly rollbackFloor: number;
  /** The last history that was proved to this device; null at first. */
  readonly lastProven: { readonly sequence: number; readonly history: Bytes32 } | null;
  /** 32 random bytes that never leave the device. */
  readonly rolloutSecret: Uint8Array;
  /**
   * Present where somebody at the device takes evidence older than the trust root allows (D31): seconds since 1970 of the newest
   * block that was proved here, below which nothing is taken even then.
   */
  readonly acceptBlocksFromSeconds?: number;
  /** How many independent rebuilders have to vouch for a release (D17); absent: none. */
  readonly minimumRebuilders?: number;
};

/** What the proofs showed, whatever the verdict: the device remembers it, and never goes back. */
export type ProvenState = {
  readonly sequence: number;
  readonly history: Bytes32;
  /** Seconds since 1970, of a block that a quorum vouches for. */
  readonly timestampSeconds: number;
  readonly block: { readonly number: number; readonly hash: Bytes32 };
  readonly trustRoot: TrustRoot;
};

/** A release that the chain records for this device's product. */
export type ProvenRelease = {
  readonly version: Version;
  readonly image: Sha256Digest;
  readonly attestation: Attestation;
  readonly state: ReleaseState;
  readonly schedule: HeadSchedule;
};

/**
 * update: install it. current: nothing to do. waiting: nothing to do yet. unproven: nothing could be proved, which says
 * nothing about the release. refused: something is wrong.
 */
export type Verdict =
  | { readonly outcome: 'update'; readonly release: ProvenRelease; readonly proven: ProvenState }
  | {
      readonly outcome: 'current' | 'waiting' | 'unproven' | 'refused';
      readonly code: DeviceCode;
      readonly message: string;
      /** Present when D1 to D4 have passed. */
      readonly proven?: ProvenState;
    };

const outcomes: Partial<Record<DeviceCode, 'current' | 'waiting' | 'unproven'>> = {
  'already-installed': 'current',
  'channel-empty': 'waiting',
  'channel-halted': 'waiting',
  'not-installable-yet': 'waiting',
  'outside-rollout': 'waiting',
  'rebuilders-missing': 'waiting',
  'version-failed-here': 'waiting',
  'update-on-trial': 'waiting',
  'update-held': 'waiting',
  'update-postponed': 'waiting',
  'outside-maintenance-window': 'waiting',
  'connection-metered': 'waiting',
  'update-not-automatic': 'waiting',
  'product-moved': 'waiting',
  'head-revoked': 'waiting',
  'trust-root-ahead': 'unproven',
  stale: 'unproven',
  unavailable: 'unproven',
  'download-too-slow': 'unproven',
  'redirect-refused': 'unproven',
  'no-quorum': 'unproven',
};

/** Everything that is not known to be harmless is a refusal. */
export function outcomeOf(code: DeviceCode): 'current' | 'waiting' | 'unproven' | 'refused' {
  return outcomes[code] ?? 'refused';
}
