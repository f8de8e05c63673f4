import { parseJson, type Version } from '@firmproof/protocol';
import { type Finding, findingSchema, type ReleaseHistory } from '@firmproof/protocol/audit';
import { z } from 'zod';
import type { FirmproofClient } from '../../api-client.ts';
import { checkAttestation, type RootDocuments, rootNotHere } from '../../audit/check-attestation.ts';
import type { ContentSource } from '../../audit/content-source.ts';
import { rootDocuments } from '../../audit/server-carrier.ts';
import type { Condition } from '../conditions.ts';
import type { WatchedProduct } from '../config.ts';
import type { MonitorState } from '../state.ts';
import { attestationFrom, isToBeHad, releasesInUse } from './content.ts';
import type { FollowedProduct } from './followed-product.ts';

/** How many attestations are looked at in one round: the others wait for the next. */
const atOnce = 50;

/** What one look at an attestation has come to. `unverified`: nothing can be said of it, and why. */
type AttestationLook = { readonly version: Version } & (
  | { readonly findings: readonly Finding[] }
  | { readonly unverified: string; readonly isMissing: boolean }
);

type AttestationLooks = {
  readonly looks: readonly AttestationLook[];
  /** Whether there is one that no source has. */
  readonly isMissing: boolean;
  /** Whether none waits for the next round. */
  readonly isWhole: boolean;
};

/**
 * Verifies the attestation of each release: signed by somebody whom the trust root of its time names, and about what the chain
 * has recorded. Neither can change, so what was found out is kept, and what is in order is never looked at again.
 */
export class AttestationWatch {
  readonly #watched: WatchedProduct;
  readonly #client: FirmproofClient | null;
  readonly #sources: readonly ContentSource[];
  /** What was looked at and waits for the next look at content; why it could not be verified, where that is so. */
  readonly #looked = new Map<Version, string | null>();

  constructor(watched: WatchedProduct, client: FirmproofClient | null, sources: readonly ContentSource[]) {
    this.#watched = watched;
    this.#client = client;
    this.#sources = sources;
  }

  /** Why some could not be verified, in words for people. */
  get unverified(): readonly string[] {
    const reasons = new Set([...this.#looked.values()].filter((reason) => reason !== null));
    return [...reasons].map((reason) => `there are attestations that are not verified: ${reason}`);
  }

  /**
   * Looks at what has not been verified yet, newest first.
   * @param again those that are to be looked at even if they were just now: `all` at each look at content
   */
  async look(
    state: MonitorState,
    followed: FollowedProduct,
    again: 'all' | ReadonlySet<Version>,
    now: number,
  ): Promise<AttestationLooks> {
    if (again === 'all') this.#looked.clear();
    else for (const version of again) this.#looked.delete(version);
    const open = releasesToVerify(state, followed, now).filter(({ version }) => !this.#looked.has(version));
    if (open.length === 0) return { looks: [], isMissing: false, isWhole: true };
    const { product, trustRoot } = this.#watched;
    const documents = await rootDocuments(this.#client, product, trustRoot);
    const looks: AttestationLook[] = [];
    for (const release of open.slice(0, atOnce)) looks.push(await this.#lookAt(release, documents));
    const isMissing = looks.some((look) => 'unverified' in look && look.isMissing);
    return { looks, isMissing, isWhole: open.length <= atOnce };
  }

  async #lookAt(release: ReleaseHistory, documents: RootDocuments): Promise<AttestationLook> {
    const { version, sequence, trustRoot } = release;
    if (!documents.trustRoots.has(trustRoot)) {
      const unverified = `${rootNotHere(trustRoot)}: name its file as "trustRoot", or a server that has it`;
      return { version, unverified, isMissing: false };
    }
    const text = await attestationFrom(this.#sources, release);
    if (text === null) return { version, unverified: 'no source has them', isMissing: true };
    const recorded = { ...release, product: this.#watched.product };
    const { signature, differences } = await checkAttestation(text, recorded, trustRoot, documents);
    const findings: Finding[] = [];
    const found = (code: Finding['code'], message: string) =>
      findings.push({ code, severity: 'bad', sequence, version, message: message.slice(0, 500) });
    if (signature.state === 'untrusted')
      found(
        'attestation-untrusted',
        `${version} was approved, but nobody whom the trust root names has signed it: ${signature.message}`,
      );
    if (differences.length > 0)
      found(
        'statement-disagrees',
        `${version} was approved, but what was signed is another release: ${differences.join('; ')}`,
      );
    if (signature.state === 'unchecked' && findings.length === 0)
      return { version, unverified: signature.message, isMissing: false };
    return { version, findings };
  }

  /** Within a transaction of the caller: what was found out is kept, and what was not is left for the next look. */
  store({ database }: MonitorState, looks: readonly AttestationLook[]): void {
    const keep = database.prepare(
      `insert into attestations (product, version, findings) values (?, ?, ?)
       on conflict do update set findings = excluded.findings`,
    );
    for (const look of looks) {
      this.#looked.set(look.version, 'findings' in look ? null : look.unverified);
      if ('findings' in look) keep.run(this.#watched.product, look.version, JSON.stringify(look.findings));
    }
  }
}

/** Heads, the newest, and all that came since the monitor did, where nobody has seen yet that they are in order. */
function releasesToVerify(
  { database }: MonitorState,
  { watched, history, baseline }: Pick<FollowedProduct, 'watched' | 'history' | 'baseline'>,
  now: number,
): readonly ReleaseHistory[] {
  const rows = database
    .prepare(`select version from attestations where product = ? and findings = '[]'`)
    .all(watched.product);
  const inOrder = new Set(rows.map(({ version }) => String(version)));
  const inUse = releasesInUse(history);
  return [...history.releases.values()]
    .filter((release) => isToBeHad(release, now) && !inOrder.has(release.version))
    .filter((release) => release.sequence > (baseline ?? 0) || inUse.has(release))
    .reverse();
}

/** What is wrong with attestations, of releases that are not revoked. */
export function attestationConditions(
  { database }: MonitorState,
  { watched, history }: Pick<FollowedProduct, 'watched' | 'history'>,
): readonly Condition[] {
  const rows = database
    .prepare(`select version, findings from attestations where product = ? and findings <> '[]'`)
    .all(watched.product);
  return rows
    .filter(({ version }) => history.releases.get(String(version) as Version)?.revoked === null)
    .flatMap(({ findings }) => readFindings(String(findings)))
    .map((finding) => ({ ...finding, subject: String(finding.version), since: 0, patienceSeconds: 0 }));
}

const readFindings = (text: string): readonly Finding[] =>
  parseJson(text, z.array(findingSchema), {
    code: 'monitor-state-damaged',
    maximumBytes: 16_384,
    what: 'what was found out about an attestation',
  });
