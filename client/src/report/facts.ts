import type {
  Address,
  Bytes32,
  Channel,
  ProductId,
  ReleaseDocument,
  ReleasePurpose,
  Severity,
  Sha256Digest,
  Version,
} from '@firmproof/protocol';
import type { AuditedAdvisory } from '../audit/index.ts';

/** What came of looking for something at all sources: intact where it was fetched there and has its digest. */
export type Availability = {
  readonly intact: number;
  readonly sources: number;
};

/** What an attestation says, once its signature has been verified. */
export type StatedFacts = {
  readonly sizeBytes: number;
  readonly purpose: ReleasePurpose | null;
  readonly severity: Severity | null;
  readonly fixedVulnerabilities: readonly string[];
  /** A day, `YYYY-MM-DD`. */
  readonly supportUntil: string | null;
  readonly hasNotes: boolean;
  readonly documents: readonly (Pick<ReleaseDocument, 'kind' | 'format' | 'name' | 'digest'> & {
    /** null where it was not looked for. */
    readonly availability: Availability | null;
  })[];
  readonly rxswins: readonly string[];
};

export type ReleaseFacts = {
  readonly version: Version;
  /** The event that recorded it. */
  readonly sequence: number;
  readonly image: Sha256Digest;
  readonly attestation: Sha256Digest;
  /** Seconds since 1970. */
  readonly publishedAt: number;
  readonly installableFrom: number;
  readonly revokedAt: number | null;
  /** null where no attestation was had, or its signature did not hold: `statedProblem` says which. */
  readonly stated: StatedFacts | null;
  readonly statedProblem: string | null;
  /** null where the image was not looked for. */
  readonly availability: Availability | null;
  readonly rollouts: readonly {
    readonly channel: Channel;
    readonly start: number;
    /** When the last device of the channel may have it; null where the rollout was halted or followed by another before. */
    readonly complete: number | null;
  }[];
  readonly advisories: readonly AuditedAdvisory[];
};

/** A fact of the register: how many devices went from one software to another, and when. */
export type UpdateFacts = {
  readonly device: string;
  readonly keyDigest: Sha256Digest;
  readonly counter: number;
  /** Seconds since 1970, as the device says. */
  readonly at: number;
  readonly result: 'confirmed' | 'rolled-back' | 'failed';
  readonly version: Version;
  readonly image: Sha256Digest;
  readonly before: { readonly version: Version; readonly image: Sha256Digest | null };
};

/** What devices have signed; or why it is not here: nobody asked, or whoever asked may not read what is the vendor's. */
export type ReceiptFacts = readonly UpdateFacts[] | 'not-asked' | 'not-readable';

export type ProductFacts = {
  readonly product: ProductId;
  readonly name: string;
  readonly chainId: number;
  readonly registry: Address;
  readonly publisher: Address;
  readonly guardian: Address | null;
  readonly delaySeconds: number;
  readonly audit: {
    readonly complete: boolean;
    readonly differences: readonly string[];
    readonly entries: number;
    readonly history: Bytes32;
    readonly block: { readonly number: number; readonly hash: Bytes32 };
    /** A sentence: who vouches for the block. */
    readonly restsOn: string;
  };
  /** Seconds since 1970: when all this was looked at. */
  readonly at: number;
  /** Oldest first. */
  readonly releases: readonly ReleaseFacts[];
};
