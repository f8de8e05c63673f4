import {
  type Advisory,
  attesterOf,
  type ErrorCode,
  isFirmproofError,
  type ProductId,
  rebuilderTrustOf,
  type Sha256Digest,
  type TrustRoot,
} from '@firmproof/protocol';
import type { EventOf, Finding } from '@firmproof/protocol/audit';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import { judgeAdvisories, maximumAdvisoriesListed } from '../advisory.ts';
import type { FirmproofClient } from '../api-client.ts';
import { attestationsOf } from '../kept-statements.ts';
import { judgeRebuilds, maximumRebuildsListed } from '../rebuild.ts';
import type { RootDocuments } from './check-attestation.ts';
import type { FindingList } from './finding-list.ts';
import type { AuditedRebuild, AuditedSaidLater, PublishedAdvisory } from './report.ts';

/** Whoever hands over what was signed later. Nothing of it is believed. */
export type SaidLaterCarrier = {
  readonly from: 'server' | 'file';
  advisories(): Promise<readonly string[]>;
  /** Asked for entries that rise. */
  rebuilds(event: EventOf<'published'>): Promise<readonly string[]>;
};

/** A server is asked for the rebuilds of one release after the other. */
export const carriedByServer = (client: FirmproofClient, product: ProductId): SaidLaterCarrier => ({
  from: 'server',
  advisories: () => attestationsOf(client.advisories(product), maximumAdvisoriesListed),
  rebuilds: ({ version }) => attestationsOf(client.rebuilds(product, version), maximumRebuildsListed),
});

/** Statements that count for nothing, of a whole audit: whoever hands over more is asked no further (V12.4). */
const maximumPassedOver = 10_000;

/**
 * What is said about releases after they were recorded, each verified against the trust root that the chain names now (V12 of
 * docs/spec/audit.md). What nobody can check here is never told as checked.
 */
export class SaidLater {
  /** Texts of the advisories that hold, for an export. */
  readonly advisoryTexts: readonly string[];
  readonly #carrier: SaidLaterCarrier | null;
  readonly #trustRoot: TrustRoot | null;
  readonly #trustRoots: RootDocuments['trustRoots'];
  readonly #findings: FindingList;
  readonly #advisories: readonly PublishedAdvisory[] | null;
  readonly #passedOver = { rebuilds: 0, advisories: 0 };
  #unchecked: string | null;

  private constructor(parts: {
    readonly carrier: SaidLaterCarrier | null;
    readonly trustRoot: TrustRoot | null;
    readonly documents: RootDocuments;
    readonly findings: FindingList;
    readonly unchecked: string | null;
    readonly advisories: readonly Advisory[] | null;
  }) {
    this.#carrier = parts.carrier;
    this.#trustRoot = parts.trustRoot;
    this.#trustRoots = parts.documents.trustRoots;
    this.#findings = parts.findings;
    this.#unchecked = parts.unchecked;
    this.#advisories = parts.advisories?.map(publishedAdvisory) ?? null;
    this.advisoryTexts = (parts.advisories ?? []).map(({ text }) => text);
  }

  /**
   * Reads and verifies the advisories.
   * @param carrier null where nobody is asked
   * @param named the digest of the trust root that the chain names
   */
  static async read(
    carrier: SaidLaterCarrier | null,
    named: Sha256Digest,
    documents: RootDocuments,
    findings: FindingList,
  ): Promise<SaidLater> {
    const trustRoot = documents.trustRoots.get(named) ?? null;
    const parts = { carrier, trustRoot, documents, findings };
    const unchecked = (why: string) => new SaidLater({ ...parts, unchecked: why, advisories: null });
    if (carrier === null) return unchecked('no server was asked for them');
    if (trustRoot === null) return unchecked(`trust root ${named}, which is in force, is not here`);
    try {
      const trustedRoot = trustRoot.sigstore && documents.sigstoreRoots.get(trustRoot.sigstore.trustedRoot);
      const means = { verifier: keylessVerifier, trustedRoot };
      const { advisories, problems } = await judgeAdvisories(await carrier.advisories(), trustRoot, means);
      const later = new SaidLater({ ...parts, unchecked: null, advisories });
      later.#passOver('advisories', problems);
      return later;
    } catch (error) {
      if (!isFirmproofError(error)) throw error;
      return unchecked(error.message);
    }
  }

  /**
   * The rebuilds of a release that count, and their texts; null where that cannot be told.
   * @param attestation the release's own, where it is here
   * @param rootAtEntry the digest of the trust root that was in force when it was published
   */
  async rebuildsOf(
    event: EventOf<'published'>,
    attestation: string | null,
    rootAtEntry: Sha256Digest,
  ): Promise<{ readonly rebuilds: readonly AuditedRebuild[] | null; readonly texts: readonly string[] }> {
    const nothing = (rebuilds: [] | null) => ({ rebuilds, texts: [] });
    const [carrier, trustRoot] = [this.#carrier, this.#trustRoot];
    if (carrier === null || trustRoot === null || this.#unchecked !== null) return nothing(null);
    // Where no rebuilder is named none can count, and no server need be asked.
    if (carrier.from === 'server' && !trustRoot.rebuilders?.length) return nothing([]);
    const own = rebuilderTrustOf(trustRoot, event, {
      attester: attestation === null ? null : attesterOf(attestation),
      rootAtEntry: this.#trustRoots.get(rootAtEntry) ?? null,
    });
    if (own === null) return nothing(null);
    const texts = await this.#carriedRebuilds(carrier, event);
    if (texts === null) return nothing(null);
    const { counted, uncounted } = judgeRebuilds(texts, own.trust, own.release);
    const problems = uncounted.flatMap(({ code, message }) => (code === null ? [] : [{ code, message }]));
    this.#passOver('rebuilds', problems, event);
    return {
      rebuilds: counted.map(({ rebuilder, rebuild }) => {
        const { rebuiltAt, source, environment } = rebuild.statement.predicate;
        return { rebuilder: rebuilder.name, rebuiltAt, source, environment };
      }),
      texts: counted.map(({ rebuild }) => rebuild.text),
    };
  }

  /** As it stands: to be taken once all releases have been looked at. */
  get summary(): AuditedSaidLater {
    const names = (this.#trustRoot?.rebuilders ?? []).map(({ name }) => name);
    return {
      from: this.#carrier?.from ?? null,
      unchecked: this.#unchecked,
      rebuilders: [...new Set(names)],
      advisories: this.#advisories,
      passedOver: { ...this.#passedOver },
    };
  }

  /** null where they are not to be had: then nobody is asked for any further ones. */
  async #carriedRebuilds(carrier: SaidLaterCarrier, event: EventOf<'published'>): Promise<readonly string[] | null> {
    try {
      return await carrier.rebuilds(event);
    } catch (error) {
      if (!isFirmproofError(error)) throw error;
      // A server that does not know the release, or not yet, has no word about it.
      if (error.code === 'release-not-found') return [];
      this.#unchecked = `of ${event.version} and what follows on it: ${error.message}`;
      return null;
    }
  }

  /** Tells once for each kind of reason, whatever a liar hands over (V12.3). */
  #passOver(
    what: 'rebuilds' | 'advisories',
    problems: readonly { readonly code: ErrorCode; readonly message: string }[],
    event?: EventOf<'published'>,
  ): void {
    this.#passedOver[what] += problems.length;
    const told = new Map<string, Finding>();
    for (const problem of problems) {
      const [code, severity] = [codeOf(problem.code), severityOf(problem.code)];
      const kind = `${code} ${severity}`;
      if (told.has(kind)) continue;
      const same = problems.filter((other) => codeOf(other.code) === code && severityOf(other.code) === severity);
      const one = what === 'rebuilds' ? 'a rebuild that does not count' : 'an advisory that does not count';
      const count = same.length === 1 ? one : `${same.length} ${what} that do not count`;
      const about = event === undefined ? '' : `${event.version}: `;
      const message = `${about}the ${this.#carrier?.from ?? ''} has ${count}: ${problem.message}`.slice(0, 500);
      const where = event && { sequence: event.sequence, version: event.version };
      told.set(kind, { code, severity, ...where, message });
    }
    this.#findings.add(...told.values());
    const { rebuilds, advisories } = this.#passedOver;
    if (rebuilds + advisories > maximumPassedOver)
      this.#unchecked ??= `so much does not count that after ${event?.version ?? 'the advisories'} nothing was read any more`;
  }
}

const codeOf = (code: ErrorCode): Finding['code'] =>
  code === 'rebuild-mismatch' || code === 'statement-product' ? 'statement-disagrees' : 'attestation-untrusted';

/** Keys and identities are dropped, and what they have signed stays where it was: nobody need be a liar. */
const dropped: readonly ErrorCode[] = [
  'rebuilder-unknown',
  'attestation-key-unknown',
  'identity-mismatch',
  'issuer-mismatch',
  'keyless-unexpected',
  'sigstore-root-missing',
];
const severityOf = (code: ErrorCode): Finding['severity'] => (dropped.includes(code) ? 'info' : 'warn');

function publishedAdvisory({ statement: { predicate } }: Advisory): PublishedAdvisory {
  const { id, revision, publishedAt, status, severity, title, vulnerabilities, versions, text } = predicate;
  const fixedIn = predicate.fixedIn ?? null;
  return { id, revision, publishedAt, status, severity, title, fixedIn, vulnerabilities, versions, text };
}
