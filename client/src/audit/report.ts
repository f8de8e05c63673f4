import type {
  Address,
  AdvisoryPredicate,
  BlockStatement,
  Bytes32,
  Channel,
  ErrorCode,
  ProductId,
  RebuildSource,
  ReleaseDocument,
  ReleasePurpose,
  Sha256Digest,
  SignerIdentity,
  Version,
} from '@firmproof/protocol';
import type { ChannelHistory, EventApproval, Finding, HistoryEvent } from '@firmproof/protocol/audit';
import type { Availability } from './content-source.ts';

/**
 * Who approved an event. Besides what `approvalOf` can say: unavailable, where nobody has the transaction; contradicted, where
 * what was given says something else than the event; skipped, where nobody was asked for it.
 */
export type AuditedApproval = Omit<EventApproval, 'form'> & {
  readonly form: EventApproval['form'] | 'unavailable' | 'contradicted' | 'skipped';
};

/** Who signed the attestation, by the trust root that was in force when the release was published. */
export type AuditedSignature =
  | { readonly state: 'trusted'; readonly by: SignedBy }
  | { readonly state: 'untrusted'; readonly code: ErrorCode; readonly message: string }
  /** Nobody who was asked has it. */
  | { readonly state: 'missing' }
  /** Nobody was asked, or what it takes to check it is not here. */
  | { readonly state: 'unchecked'; readonly message: string };
export type SignedBy =
  | { readonly kind: 'build-key'; readonly keyId: string }
  | ({ readonly kind: 'identity' } & SignerIdentity)
  /** Its key was dropped; the trust root lists the attestation itself. */
  | { readonly kind: 'listed' };

export type SourceAvailability = {
  readonly source: string;
  readonly attestation: Availability;
  /** null where it was not fetched. */
  readonly image: Availability | null;
};

/** What the signed statement says, of what an auditor looks at. */
export type StatementFacts = {
  readonly cid: string;
  readonly sizeBytes: number;
  readonly hardware: readonly string[];
  readonly precursors: readonly string[];
  readonly purpose: ReleasePurpose;
  readonly notes: string | null;
  readonly severity: string | null;
  readonly fixedVulnerabilities: readonly string[];
  /** A day, in UTC. */
  readonly supportUntil: string | null;
  readonly documents: readonly AuditedDocument[];
};

/** A document that the statement names. */
export type AuditedDocument = Pick<ReleaseDocument, 'kind' | 'format' | 'name' | 'digest' | 'sizeBytes'> & {
  /** In how many of the sources it is whole; null where it was not fetched. */
  readonly availableIn: number | null;
};

/** That an independent rebuilder, whom the trust root names, got the same image. */
export type AuditedRebuild = {
  readonly rebuilder: string;
  readonly rebuiltAt: number;
  readonly source: RebuildSource;
  readonly environment: string;
};

/** What an advisory says of a release. */
export type AuditedAdvisory = Readonly<
  Pick<AdvisoryPredicate, 'id' | 'revision' | 'publishedAt' | 'status' | 'severity' | 'title'>
> & { readonly fixedIn: Version | null; readonly vulnerabilities: readonly string[] };
/** The newest revision of an advisory, whole. */
export type PublishedAdvisory = AuditedAdvisory & { readonly versions: readonly Version[]; readonly text: string };

/** What was signed about releases after they were recorded, as far as somebody has handed it over: it can be withheld. */
export type AuditedSaidLater = {
  /** Who was asked; null for nobody. */
  readonly from: 'server' | 'file' | null;
  /** Why not all of it was checked, for people; null where it was. */
  readonly unchecked: string | null;
  /** The rebuilders that the trust root in force names; none where it is not here. */
  readonly rebuilders: readonly string[];
  /** Those that hold, the most important ones first; null where they were not checked. */
  readonly advisories: readonly PublishedAdvisory[] | null;
  /** How much was handed over that counts for nothing. */
  readonly passedOver: { readonly rebuilds: number; readonly advisories: number };
};

/** One release. Times are seconds since 1970. */
export type AuditedRelease = {
  readonly version: Version;
  readonly status: 'active' | 'revoked';
  readonly sequence: number;
  readonly rollbackIndex: number;
  readonly publishedAt: number;
  /** The end of the veto window. */
  readonly installableFrom: number;
  readonly revoked: { readonly at: number; readonly approver: Address; readonly sequence: number } | null;
  /** The channels that it is the head of. */
  readonly headOf: readonly Channel[];
  readonly promotions: number;
  readonly image: Sha256Digest;
  readonly attestation: Sha256Digest;
  readonly block: HistoryEvent['block'];
  readonly transaction: Bytes32;
  readonly approval: AuditedApproval;
  readonly signature: AuditedSignature;
  /** null where the attestation is not here. */
  readonly statement: StatementFacts | null;
  /** Of every source, where all of them were asked (`fetch`); else empty. */
  readonly availability: readonly SourceAvailability[];
  /** One of each rebuilder; null where they were not checked. */
  readonly rebuilds: readonly AuditedRebuild[] | null;
  /** Those that name this version, the most important ones first; null where they were not checked. */
  readonly advisories: readonly AuditedAdvisory[] | null;
};

export type AuditedEvent = {
  readonly event: HistoryEvent;
  readonly approval: AuditedApproval;
};

/** What the verdict of an audit rests on, most first. */
export type AuditBasis = {
  /** How the entries came here. */
  readonly entries: 'nodes' | 'server' | 'file';
  /** Nodes that show the block alike, of those that were asked; null where none was asked (a file). */
  readonly nodes: { readonly agree: readonly string[]; readonly asked: number; readonly quorum: number } | null;
  /** What a quorum of witnesses of the trust root vouches for; null where there is no such proof. */
  readonly witnesses: {
    readonly operators: readonly string[];
    readonly quorum: number;
    readonly sequence: number;
    readonly block: number;
    /** held: the trust root that the auditor gave. chain: only the chain itself names it. */
    readonly trustRoot: 'held' | 'chain';
  } | null;
  /** Why no witness counts, for people; null where some do. */
  readonly unwitnessed: string | null;
};

/** The outcome of an audit, without its rows. */
export type AuditSummary = {
  readonly product: ProductId;
  readonly name: string | null;
  readonly chainId: number;
  readonly registry: Address;
  /** Whether the events replay to exactly the proven history. */
  readonly complete: boolean;
  /** null when complete. */
  readonly firstDifference: { readonly sequence: number; readonly message: string } | null;
  readonly basis: AuditBasis;
  readonly block: BlockStatement;
  /** Number of events, as storage proves it. */
  readonly sequence: number;
  readonly history: Bytes32;
  readonly replayedHistory: Bytes32 | null;
  readonly publisher: Address;
  readonly guardian: Address;
  readonly delaySeconds: number;
  readonly epoch: number;
  readonly trustRoot: Sha256Digest;
  readonly pending: { readonly sequence: number; readonly pendingFrom: number } | null;
  readonly releaseCount: number;
  readonly channels: readonly Pick<ChannelHistory, 'channel' | 'version' | 'halted'>[];
  readonly saidLater: AuditedSaidLater;
  readonly findings: readonly Finding[];
  /** Findings beyond those listed. */
  readonly moreFindings: number;
};
