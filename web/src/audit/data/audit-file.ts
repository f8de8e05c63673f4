import { attesterOf, FirmproofError, type Version } from '@firmproof/protocol';
import { type AuditLine, auditFileText, maximumAdvisoriesInFile } from '@firmproof/protocol/audit-file';
import type { ProductAudit } from './audit.ts';
import { oneByOne } from './one-by-one.ts';
import { loadSaidLater } from './said-later.ts';

type Line = Exclude<AuditLine, { readonly kind: 'header' | 'end' }>;

/**
 * Everything that the verdict rests on, as `firmproof audit --export` writes it and `firmproof audit --offline` verifies it (X1 of
 * docs/spec/audit.md). Transactions and attestations are fetched for it, one of each an entry, and what was said later that holds here.
 * @throws FirmproofError `history-incomplete` where nobody vouches for the history or something in it is false
 */
export async function auditFileOf(audit: ProductAudit, onProgress: (done: number) => void): Promise<readonly string[]> {
  const { verdict, sightings, place, trustRoot, settings } = audit;
  // The newest first, as the file wants it; of the server's, whose block witnesses vouch for, another one may follow.
  const seen = [...sightings.list].sort((one, other) => other.proven.sequence - one.proven.sequence);
  const [newest] = seen;
  if (verdict.tone === 'bad' || newest === undefined)
    throw new FirmproofError('history-incomplete', 'there is nothing here that is proven, so nothing to export');
  const { chainId, registry, product } = place;
  const entries = (await audit.entries()).slice(0, newest.proven.sequence);
  const { attached, advisories } = await attachmentsOf(audit, entries.length, onProgress);
  const roots = await audit.carrier.trustRoots(product).catch(() => sightings.proof?.trustRoots ?? []);
  const sigstoreRoot = sightings.proof?.sigstoreTrustedRoot;
  const lines: Line[] = [
    ...seen.map(({ proof }): Line => ({ kind: 'proof', proof })),
    ...roots.map((envelope): Line => ({ kind: 'trust-root', envelope })),
    ...(trustRoot && roots.length === 0 ? [{ kind: 'trust-root', envelope: trustRoot.envelope } as const] : []),
    ...(sigstoreRoot ? [{ kind: 'sigstore-root', text: sigstoreRoot } as const] : []),
    ...advisories.map((text): Line => ({ kind: 'advisory', text })),
    ...entries.flatMap((entry): Line[] => [{ kind: 'entry', entry }, ...(attached[entry.sequence - 1] ?? [])]),
  ];
  const nodes = verdict.vouchers.some(({ kind }) => kind === 'nodes') ? settings.rpcUrls.length : 0;
  const quorum = nodes === 0 ? 0 : settings.rpcQuorum;
  return [...auditFileText({ chainId, registry, product, entries: entries.length, nodes, quorum }, lines)];
}

/** What belongs to each entry; what does not come is left out, and `--offline` says so. */
async function attachmentsOf(
  audit: ProductAudit,
  count: number,
  onProgress: (done: number) => void,
): Promise<{ readonly attached: readonly (readonly Line[])[]; readonly advisories: readonly string[] }> {
  const { carrier, product, events, history } = audit;
  const advisories = new Set<string>();
  const inTurn = oneByOne(6);
  let done = 0;
  const attestationOf = (version: Version) =>
    carrier.attestation(product, version).then(
      (text): Line[] => [{ kind: 'attestation', text }],
      () => [],
    );
  /** Rebuilds that count, X1; the advisories go before the entries, and each is about several releases at times. */
  const rebuildsOf = async (version: Version, [attestation]: readonly Line[]): Promise<Line[]> => {
    const release = history.releases.get(version);
    if (release === undefined) return [];
    const attester = attestation?.kind === 'attestation' ? attesterOf(attestation.text) : null;
    const later = await loadSaidLater(audit, release, attester).catch(() => null);
    for (const { text } of later?.advisories ?? []) if (advisories.size < maximumAdvisoriesInFile) advisories.add(text);
    return (later?.rebuilds ?? []).map(({ rebuild: { text } }): Line => ({ kind: 'rebuild', text }));
  };
  const attached = await Promise.all(
    events.slice(0, count).map((event) =>
      inTurn(async () => {
        const transaction = await carrier.transaction(product, event.sequence).then(
          (found): Line[] => [{ kind: 'transaction', transaction: found }],
          () => [],
        );
        const attestation = event.kind === 'published' ? await attestationOf(event.version) : [];
        const rebuilds = event.kind === 'published' ? await rebuildsOf(event.version, attestation) : [];
        done += 1;
        onProgress(done);
        return [...transaction, ...attestation, ...rebuilds];
      }),
    ),
  );
  return { attached, advisories: [...advisories] };
}
