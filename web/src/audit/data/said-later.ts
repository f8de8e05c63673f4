import {
  type Advisory,
  type Attester,
  byImportance,
  type CountedRebuild,
  countedRebuilds,
  isAbout,
  parseAdvisory,
  rebuilderTrustOf,
  type TrustRoot,
  type Version,
  verifyAdvisory,
} from '@firmproof/protocol';
import type { ReleaseHistory } from '@firmproof/protocol/audit';
import type { ProductAudit } from './audit.ts';
import { trustRootDigestAt, trustRootWithDigest } from './trust-root-at.ts';

/** What was signed about a release after it was recorded, as far as the server hands it out: it can withhold any of it. */
export type SaidLater = {
  /** The trust root that says whose word counts: the one in force now. null where nobody gives the document. */
  readonly trustRoot: TrustRoot | null;
  /** null where it is not known here who has signed the attestation, and does not count (V12.2 of docs/spec/audit.md). */
  readonly rebuilds: readonly CountedRebuild[] | null;
  /** Given by the server, and signed by nobody who counts, or about something else. */
  readonly uncountedRebuilds: number;
  readonly advisories: readonly Advisory[];
  readonly unprovenAdvisories: number;
};

/** Reads and verifies rebuilds and advisories of a release. @throws FirmproofError what the server answers */
export async function loadSaidLater(
  audit: ProductAudit,
  release: ReleaseHistory,
  attester: Attester | null,
): Promise<SaidLater> {
  const { carrier, product, history } = audit;
  const { version, sequence } = release;
  const digestThen = attester === null ? trustRootDigestAt(audit.events, sequence) : null;
  const [trustRoot, rootAtEntry, rebuilt, advised] = await Promise.all([
    trustRootWithDigest(audit, history.trustRoot),
    digestThen && trustRootWithDigest(audit, digestThen),
    carrier.rebuilds(product, version),
    carrier.advisories(product, version),
  ]);
  if (trustRoot === null) {
    return {
      trustRoot,
      rebuilds: null,
      uncountedRebuilds: rebuilt.length,
      advisories: [],
      unprovenAdvisories: advised.length,
    };
  }
  const own = rebuilderTrustOf(trustRoot, release, { attester, rootAtEntry });
  const rebuilds = own && countedRebuilds(rebuilt, own.trust, own.release);
  const advisories = await provenAbout(advised, trustRoot, version);
  return {
    trustRoot,
    rebuilds,
    uncountedRebuilds: rebuilt.length - (rebuilds?.length ?? 0),
    advisories,
    unprovenAdvisories: advised.length - advisories.length,
  };
}

/** Those that hold here and are about the version, the most important first; keyless ones are not checked in a browser. */
async function provenAbout(texts: readonly string[], trustRoot: TrustRoot, version: Version): Promise<Advisory[]> {
  const proven: Advisory[] = [];
  for (const text of texts) {
    try {
      const advisory = parseAdvisory(text);
      await verifyAdvisory(advisory, trustRoot);
      if (isAbout(advisory, version)) proven.push(advisory);
    } catch {
      // Counted as not proven: what it is about is then only the server's word.
    }
  }
  return proven.sort(byImportance);
}
