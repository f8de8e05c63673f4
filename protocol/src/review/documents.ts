import {
  type ReleaseDocument,
  readSbomDocument,
  type SbomDocument,
  type Sha256Digest,
  type Statement,
  sbomChanges,
  sha256,
} from '../index.ts';
import type { Check } from './checks.ts';
import type { Difference, Row } from './rows.ts';
import { describeBytes } from './units.ts';

/** What a server gives under the digest of a document: nothing, or some bytes. */
export type GivenDocument = { readonly digest: Sha256Digest; readonly bytes: Uint8Array | null };

const titles: Readonly<Record<string, string>> = { sbom: 'SBOM', provenance: 'Provenance', vex: 'VEX', notes: 'Notes' };
const titleOf = (kind: string) => titles[kind] ?? `Document (${kind})`;
const maximumComponentRows = 500;

/** What a statement says beside its image. Severity and the like first, then a row a document. */
export function documentRows({ predicate }: Statement): readonly Row[] {
  const { severity, fixedVulnerabilities, supportUntil, documents = [] } = predicate;
  return [
    ...(severity ? [{ label: 'Severity', value: severity }] : []),
    ...(fixedVulnerabilities?.length ? [{ label: 'Fixes', value: fixedVulnerabilities.join(', ') }] : []),
    ...(supportUntil ? [{ label: 'Supported until', value: supportUntil }] : []),
    ...documents.map(({ kind, format, name, sizeBytes, digest }) => ({
      label: titleOf(kind),
      value: `${name}: ${format}, ${describeBytes(sizeBytes)}, sha-256 ${digest}`,
    })),
  ];
}

/** How the same differs between two statements; nothing where neither says anything. */
export function documentDifferences(previous: Statement, next: Statement): readonly Difference[] {
  const [old, current] = [previous.predicate, next.predicate];
  const row = (label: string, before: string | undefined, now: string | undefined): readonly Difference[] =>
    before === undefined && now === undefined
      ? []
      : [{ label, before: before ?? 'not said', now: now ?? 'not said', same: before === now }];
  const [were, are] = [old.documents ?? [], current.documents ?? []];
  const kinds = [...new Set([...were, ...are].map(({ kind }) => kind))];
  return [
    ...row('Severity', old.severity, current.severity),
    ...row('Fixes', old.fixedVulnerabilities?.join(', '), current.fixedVulnerabilities?.join(', ')),
    ...row('Supported until', old.supportUntil, current.supportUntil),
    ...kinds.flatMap((kind) => kindDifference(kind, were, are)),
  ];
}

function kindDifference(
  kind: string,
  were: readonly ReleaseDocument[],
  are: readonly ReleaseDocument[],
): readonly Difference[] {
  const text = (list: readonly ReleaseDocument[]) =>
    list
      .filter((document) => document.kind === kind)
      .map(({ format, name, digest }) => `${name} (${format}, ${digest.slice(0, 12)}…)`)
      .join(', ') || 'none';
  return [{ label: titleOf(kind), before: text(were), now: text(are), same: text(were) === text(are) }];
}

/** How the parts of two whole bills of materials differ: versions, licenses, and where a part comes from. */
export function componentDifferences(before: SbomDocument, now: SbomDocument): readonly Difference[] {
  const list = (values: readonly string[]) => values.map((value) => value || 'no version').join(', ') || '–';
  const row = (label: string, was: readonly string[], is: readonly string[]): Difference => ({
    label,
    before: list(was),
    now: list(is),
    same: false,
  });
  const rows = sbomChanges(before, now).flatMap(({ name, before: was, now: is, licenses, origins }) => [
    ...(was.join('\n') === is.join('\n') ? [] : [row(`Component ${name}`, was, is)]),
    ...(licenses ? [row(`License of ${name}`, licenses.before, licenses.now)] : []),
    ...(origins ? [row(`Origin of ${name}`, origins.before, origins.now)] : []),
  ]);
  const more = rows.length - maximumComponentRows;
  if (more <= 0) return rows;
  return [...rows.slice(0, maximumComponentRows), row('More of them', [], [`${more} more differences`])];
}

/**
 * The first bills of materials of two statements, where both were given as they were signed: of the same format if there are
 * such, since tools do not name parts alike.
 */
export function sbomPair(
  before: { readonly statement: Statement; readonly given: readonly GivenDocument[] },
  now: { readonly statement: Statement; readonly given: readonly GivenDocument[] },
): { readonly before: SbomDocument; readonly now: SbomDocument } | null {
  const [were, are] = [sbomsOf(before), sbomsOf(now)];
  for (const { format } of are) {
    const [was, is] = [were, are].map((list) => list.find((sbom) => sbom.format === format));
    if (was && is) return { before: was, now: is };
  }
  const [was, is] = [were[0], are[0]];
  return was && is ? { before: was, now: is } : null;
}

function sbomsOf({ statement, given }: Parameters<typeof sbomPair>[0]): readonly SbomDocument[] {
  return (statement.predicate.documents ?? []).flatMap(({ kind, digest }) => {
    const bytes = kind === 'sbom' ? given.find((one) => one.digest === digest)?.bytes : null;
    if (!bytes || sha256(bytes) !== digest) return [];
    try {
      return [readSbomDocument(new TextDecoder().decode(bytes))];
    } catch {
      // What nobody can read is compared with nothing; its digest is in the rows.
      return [];
    }
  });
}

/** Documents are hashed here: another one in the place of one that is signed does not stay unseen (A36). */
export function checkDocuments(statement: Statement, given: readonly GivenDocument[]): Check | null {
  const documents = statement.predicate.documents ?? [];
  if (documents.length === 0) return null;
  const name = 'The documents';
  const bytesOf = new Map(given.map(({ digest, bytes }) => [digest, bytes]));
  const wrong = documents.filter(({ digest }) => {
    const bytes = bytesOf.get(digest);
    return bytes && sha256(bytes) !== digest;
  });
  if (wrong.length > 0)
    return {
      name,
      outcome: 'failed',
      text: `The server gives something else as ${namesOf(wrong)} than what is signed.`,
    };
  const unseen = documents.filter(({ digest }) => !bytesOf.get(digest));
  if (unseen.length > 0)
    return { name, outcome: 'unchecked', text: `Not fetched, or not given by the server: ${namesOf(unseen)}.` };
  const { length } = documents;
  const text = length === 1 ? 'The document has' : `All ${length} documents have`;
  return { name, outcome: 'passed', text: `${text} the digest that the statement names.` };
}

const namesOf = (documents: readonly ReleaseDocument[]) => documents.map(({ name }) => name).join(', ');
