import {
  type Channel,
  isFirmproofError,
  parseAttestation,
  type ReleaseDocument,
  type Version,
  zeroAddress,
} from '@firmproof/protocol';
import type { HistoryEvent } from '@firmproof/protocol/audit';
import type { Audit, AuditedRelease, ContentSource } from '../audit/index.ts';
import type { Availability, ProductFacts, ReleaseFacts, StatedFacts } from './facts.ts';
import { restsOn } from './rests-on.ts';

/** What reports are made from: a finished audit. */
export async function productFacts(
  audit: Audit,
  options: {
    /** Where documents are looked for; none: they are not. */
    readonly sources: readonly ContentSource[];
    readonly nowSeconds: number;
  },
): Promise<ProductFacts> {
  const { summary } = audit;
  const rollouts = rolloutsOf(audit);
  const texts = attestationsOf(audit);
  const releases: ReleaseFacts[] = [];
  for (const release of audit.releases()) {
    const text = texts.next().value ?? null;
    releases.push({
      version: release.version,
      sequence: release.sequence,
      image: release.image,
      attestation: release.attestation,
      publishedAt: release.publishedAt,
      installableFrom: release.installableFrom,
      revokedAt: release.revoked?.at ?? null,
      ...(await statedOf(release, text, options.sources)),
      availability: imageAvailability(release),
      rollouts: rollouts.get(release.version) ?? [],
      advisories: release.advisories ?? [],
    });
  }
  return {
    product: summary.product,
    name: summary.name ?? summary.product,
    chainId: summary.chainId,
    registry: summary.registry,
    publisher: summary.publisher,
    guardian: summary.guardian === zeroAddress ? null : summary.guardian,
    delaySeconds: summary.delaySeconds,
    audit: {
      complete: summary.complete,
      differences: summary.firstDifference === null ? [] : [summary.firstDifference.message],
      entries: summary.sequence,
      history: summary.history,
      block: { number: summary.block.number, hash: summary.block.hash },
      restsOn: restsOn(summary.basis),
    },
    at: options.nowSeconds,
    releases,
  };
}

/** In the order of the releases. */
function* attestationsOf(audit: Audit): Generator<string | null> {
  const published = new Set<number>();
  for (const { sequence } of audit.releases()) published.add(sequence);
  for (const { entry, attestation } of audit.entries()) if (published.has(entry.sequence)) yield attestation;
}

type Rollout = ReleaseFacts['rollouts'][number];

function rolloutsOf(audit: Audit): ReadonlyMap<Version, readonly Rollout[]> {
  const rollouts = new Map<Version, Rollout[]>();
  const running = new Map<Channel, { version: Version; index: number; complete: number }>();
  const cutShort = (channel: Channel, at: number) => {
    const last = running.get(channel);
    const list = last && rollouts.get(last.version);
    const rollout = last && list?.[last.index];
    if (last && list && rollout && at < last.complete) list[last.index] = { ...rollout, complete: null };
    running.delete(channel);
  };
  const take = (event: HistoryEvent) => {
    if (event.kind === 'halted') cutShort(event.channel, event.time);
    if (event.kind !== 'promoted') return;
    const { channel, version, start, durationSeconds } = event;
    cutShort(channel, event.time);
    const list = rollouts.get(version) ?? [];
    const complete = start + durationSeconds;
    rollouts.set(version, list);
    running.set(channel, { version, index: list.length, complete });
    list.push({ channel, start, complete });
  };
  for (const { event } of audit.events()) take(event);
  return rollouts;
}

async function statedOf(
  { signature }: AuditedRelease,
  text: string | null,
  sources: readonly ContentSource[],
): Promise<Pick<ReleaseFacts, 'stated' | 'statedProblem'>> {
  if (signature.state !== 'trusted')
    return {
      stated: null,
      statedProblem: signature.state === 'missing' ? 'no source has its attestation' : signature.message,
    };
  if (text === null) return { stated: null, statedProblem: 'its attestation was not kept' };
  const { predicate } = parseAttestation(text).statement;
  const documents: StatedFacts['documents'][number][] = [];
  for (const document of predicate.documents ?? []) {
    const { kind, format, name, digest } = document;
    documents.push({ kind, format, name, digest, availability: await documentAvailability(document, sources) });
  }
  // Before there were documents, a statement named one bill of materials.
  const { sbom } = predicate;
  if (sbom && !documents.some(({ digest }) => digest === sbom.digest))
    documents.push({ kind: 'sbom', format: sbom.format, name: '', digest: sbom.digest, availability: null });
  return {
    stated: {
      sizeBytes: predicate.image.sizeBytes,
      purpose: predicate.purpose ?? null,
      severity: predicate.severity ?? null,
      fixedVulnerabilities: predicate.fixedVulnerabilities ?? [],
      supportUntil: predicate.supportUntil ?? null,
      hasNotes: predicate.notes !== undefined || documents.some(({ kind }) => kind === 'notes'),
      documents,
      rxswins: predicate.rxswins ?? [],
    },
    statedProblem: null,
  };
}

async function documentAvailability(
  { cid, sizeBytes, digest }: ReleaseDocument,
  sources: readonly ContentSource[],
): Promise<Availability | null> {
  if (sources.length === 0) return null;
  let intact = 0;
  for (const source of sources) {
    try {
      if ((await source.content({ cid, sizeBytes, digest })) === 'available') intact += 1;
    } catch (error) {
      if (!isFirmproofError(error)) throw error;
    }
  }
  return { intact, sources: sources.length };
}

function imageAvailability({ availability }: AuditedRelease): Availability | null {
  const looked = availability.filter(({ image }) => image !== null);
  if (looked.length === 0) return null;
  return { intact: looked.filter(({ image }) => image === 'available').length, sources: looked.length };
}
