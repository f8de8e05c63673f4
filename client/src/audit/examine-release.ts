import { type Attestation, attestationDigest, isFirmproofError, type Sha256Digest } from '@firmproof/protocol';
import type { EventOf, Finding } from '@firmproof/protocol/audit';
import { checkAttestation, type RootDocuments } from './check-attestation.ts';
import type { Availability, ContentSource } from './content-source.ts';
import type { AuditedDocument, AuditedRelease, SourceAvailability, StatementFacts } from './report.ts';

export type ReleaseFacts = Pick<AuditedRelease, 'signature' | 'statement' | 'availability'> & {
  readonly text: string | null;
};

/** What it takes to examine releases. */
export type Means = RootDocuments & {
  readonly sources: readonly ContentSource[];
  /** Whether what is kept is a file, which should hold all attestations (X4). */
  readonly isFile?: boolean;
  /** The time of the proven block: attestations of releases that are not installable then need not be announced. */
  readonly atSeconds: number;
  /** Whether images are fetched and hashed, and every source asked. */
  readonly fetch: boolean;
  readonly onBytes?: (bytes: number) => void;
};

/**
 * Attestation, statement and content of one release.
 * @param kept the attestation, where it is here already; one that has not the digest of the event is none
 * @param trustRoot the digest of the one that was in force
 */
export async function examineRelease(
  event: EventOf<'published'>,
  trustRoot: Sha256Digest,
  kept: string | null,
  means: Means,
): Promise<{ readonly facts: ReleaseFacts; readonly findings: readonly Finding[] }> {
  const { version, sequence } = event;
  const findings: Finding[] = [];
  const found = (code: Finding['code'], severity: Finding['severity'], message: string) =>
    findings.push({ code, severity, sequence, version, message: `${version}: ${message}`.slice(0, 500) });
  const fitting = kept !== null && attestationDigest(kept) === event.attestation ? kept : null;
  const { text, asked } = await attestationOf(event, fitting, means);
  if (text === null) {
    const { signature, severity, message } = absence(event, means);
    if (severity !== null) found('attestation-missing', severity, message);
    const availability = means.fetch
      ? asked.map(({ source, state }) => ({ source: source.label, attestation: state, image: null }))
      : [];
    return { facts: { text, signature, statement: null, availability }, findings };
  }
  const { attestation, signature, differences } = await checkAttestation(text, event, trustRoot, means);
  if (signature.state === 'untrusted') found('attestation-untrusted', 'bad', signature.message);
  // Whoever withholds the trust root must not get by in silence.
  if (signature.state === 'unchecked')
    found('attestation-untrusted', 'warn', `its attestation could not be verified: ${signature.message}`);
  for (const difference of differences) found('statement-disagrees', 'bad', difference);
  if (attestation === null) return { facts: { text, signature, statement: null, availability: [] }, findings };
  const availability = await availabilityOf(event, attestation, asked, means);
  if (means.fetch && means.sources.length > 0) {
    const whole = availability.filter(({ image }) => image === 'available').length;
    const lying = availability.filter(({ image, attestation: state }) => image === 'wrong' || state === 'wrong');
    if (whole === 0) found('content-missing', 'bad', `none of ${availability.length} sources has its image`);
    for (const { source } of lying) found('content-missing', 'warn', `${source} gives other bytes than were published`);
  }
  const documents = await documentsOf(attestation, means);
  for (const { name, availableIn } of documents) {
    if (availableIn === 0) found('document-missing', 'warn', `no source has ${name}, which its statement names`);
  }
  return { facts: { text, signature, statement: statementFacts(attestation, documents), availability }, findings };
}

/** What it means that an attestation is not here. */
function absence({ attestation, installableFrom }: EventOf<'published'>, { sources, isFile, atSeconds }: Means) {
  const unchecked = (message: string) => ({ state: 'unchecked', message }) as const;
  if (sources.length === 0 && !isFile) {
    const message = 'no server and no other source was given';
    return { signature: unchecked(message), severity: null, message };
  }
  if (installableFrom > atSeconds) {
    const message = `its attestation need not be announced before its veto window is over, ${new Date(installableFrom * 1000).toISOString()}`;
    return { signature: unchecked(message), severity: 'info', message } as const;
  }
  const message = isFile
    ? `the file does not hold its attestation ${attestation}: it was left out, or not to be had when the file was written`
    : `no source has its attestation ${attestation}`;
  return { signature: { state: 'missing' }, severity: 'bad', message } as const;
}

type Asked = { readonly source: ContentSource; readonly state: Availability };

/** From whoever has it first; from all, where availability is asked for. */
async function attestationOf(
  { attestation }: EventOf<'published'>,
  kept: string | null,
  { sources, fetch }: Means,
): Promise<{ readonly text: string | null; readonly asked: readonly Asked[] }> {
  let text = kept;
  const asked: Asked[] = [];
  for (const source of sources) {
    if (text !== null && !fetch) break;
    try {
      const answer = await source.attestation(attestation);
      asked.push({ source, state: answer === null ? 'missing' : 'available' });
      text ??= answer;
    } catch (error) {
      if (!isFirmproofError(error)) throw error;
      asked.push({ source, state: 'unreachable' });
    }
  }
  return { text, asked };
}

function statementFacts(
  { statement: { predicate } }: Attestation,
  documents: StatementFacts['documents'],
): StatementFacts {
  const { image, hardware, precursors, purpose = 'feature', notes = null } = predicate;
  const { severity = null, fixedVulnerabilities = [], supportUntil = null } = predicate;
  const said = { hardware, precursors, purpose, notes, severity, fixedVulnerabilities, supportUntil };
  return { cid: image.cid, sizeBytes: image.sizeBytes, ...said, documents };
}

async function documentsOf(
  { statement }: Attestation,
  { fetch, sources, onBytes }: Means,
): Promise<StatementFacts['documents']> {
  const documents: AuditedDocument[] = [];
  for (const document of statement.predicate.documents ?? []) {
    let availableIn = fetch && sources.length > 0 ? 0 : null;
    for (const source of availableIn === null ? [] : sources)
      if ((await source.content(document, onBytes)) === 'available') availableIn = (availableIn ?? 0) + 1;
    const { kind, format, name, digest, sizeBytes } = document;
    documents.push({ kind, format, name, digest, sizeBytes, availableIn });
  }
  return documents;
}

async function availabilityOf(
  { image: digest }: EventOf<'published'>,
  { statement }: Attestation,
  asked: readonly Asked[],
  { fetch, onBytes }: Means,
): Promise<readonly SourceAvailability[]> {
  const { cid, sizeBytes } = statement.predicate.image;
  const availability: SourceAvailability[] = [];
  // Without it whoever has the attestation first is the last who is asked, and nobody where it is kept: no word about what is to be had.
  if (!fetch) return availability;
  for (const { source, state } of asked) {
    const image = await source.content({ cid, sizeBytes, digest }, onBytes);
    availability.push({ source: source.label, attestation: state, image });
  }
  return availability;
}
