import { componentChanges, type SbomChange, type Statement, sbomChanges } from '@firmproof/protocol';
import { sbomPair } from '@firmproof/protocol/review';
import { useMemo } from 'react';
import { Section } from '../../parts/section.tsx';
import type { ProductAudit } from '../data/audit.ts';
import { type CheckedDocument, useDocuments } from '../data/use-documents.ts';
import { DocumentList } from '../parts/document-list.tsx';
import { linkTo } from '../route.ts';
import { ComponentList } from './component-list.tsx';
import { signerDifferences, statementDifferences, timeDifferences } from './difference-rows.ts';
import { DifferenceTable } from './difference-table.tsx';
import type { Side } from './load-comparison.ts';
import { NotesDiff } from './notes-diff.tsx';

type Props = { readonly audit: ProductAudit; readonly before: Side; readonly now: Side };

/** Everything in which two releases differ. Of one whose attestation is not here, nothing is shown as its own. */
export function ComparisonSections({ audit, before, now }: Props) {
  const { product } = audit;
  const [from, to] = [before.audited.release.version, now.audited.release.version];
  const names = [from, to] as const;
  const { statement: was } = before;
  const { statement: is } = now;
  return (
    <>
      {was && is ? (
        <Statements audit={audit} names={names} sides={[before, now]} was={was} is={is} />
      ) : (
        <p className="empty">
          What was signed about {was ? to : is ? from : 'either of them'} is not here, so there is nothing to compare it
          by. See <a href={linkTo.release(product, was ? to : from)}>the release</a>.
        </p>
      )}
      <Section title="Who signed and approved">
        <DifferenceTable caption="Signers" names={names} rows={signerDifferences(before, now)} />
      </Section>
      <Section title="When" hint="From the history on chain.">
        <DifferenceTable caption="Times" names={names} rows={timeDifferences(audit, before, now)} />
      </Section>
    </>
  );
}

type StatementsProps = {
  readonly audit: ProductAudit;
  readonly names: readonly [string, string];
  readonly sides: readonly [Side, Side];
  readonly was: Statement;
  readonly is: Statement;
};

function Statements({ audit, names, sides, was, is }: StatementsProps) {
  const [before, now] = sides.map(({ audited }) => audited.isVouched);
  const [old, current] = [useDocuments(audit, was), useDocuments(audit, is)];
  const { changes, source } = useMemo(
    () => partsOf({ statement: was, documents: old.documents }, { statement: is, documents: current.documents }),
    [was, is, old.documents, current.documents],
  );
  const notes = [notesOf(was, old.documents), notesOf(is, current.documents)] as const;
  return (
    <>
      <Section title="What was signed" hint="What differs is marked.">
        <DifferenceTable caption="Statements" names={names} rows={statementDifferences(was, is)} />
      </Section>
      <Section title="Components" hint={source}>
        {changes && <ComponentList changes={changes} />}
      </Section>
      <Section title="Notes">
        <NotesDiff before={notes[0]} now={notes[1]} />
      </Section>
      {(old.documents.length > 0 || current.documents.length > 0) && (
        <Section title="Documents" hint="Fetched and hashed here; what was signed is their digests.">
          <div className="columns">
            <Documents version={names[0]} documents={old.documents} isVouched={before === true} onFetch={old.fetch} />
            <Documents
              version={names[1]}
              documents={current.documents}
              isVouched={now === true}
              onFetch={current.fetch}
            />
          </div>
        </Section>
      )}
    </>
  );
}

type DocumentsProps = {
  readonly version: string;
  readonly documents: readonly CheckedDocument[];
  readonly isVouched: boolean;
  readonly onFetch: ReturnType<typeof useDocuments>['fetch'];
};

function Documents({ version, documents, isVouched, onFetch }: DocumentsProps) {
  return (
    <div>
      <h3>{version}</h3>
      {documents.length > 0 ? (
        <DocumentList documents={documents} isVouched={isVouched} onFetch={onFetch} />
      ) : (
        <p className="empty">It names none.</p>
      )}
    </div>
  );
}

type Parts = { readonly statement: Statement; readonly documents: readonly CheckedDocument[] };

/** From whole documents where both are here as they were signed, else from the lists in the statements. */
function partsOf(
  before: Parts,
  now: Parts,
): { readonly changes: readonly SbomChange[] | null; readonly source: string } {
  const given = ({ statement, documents }: Parts) => ({
    statement,
    given: documents.map(({ document: { digest }, outcome }) => ({
      digest,
      bytes: outcome.state === 'same' ? outcome.bytes : null,
    })),
  });
  const pair = sbomPair(given(before), given(now));
  if (pair)
    return {
      changes: sbomChanges(pair.before, pair.now),
      source: `From the whole bills of materials, hashed here: ${pair.before.components.length.toLocaleString('en')} and ${pair.now.components.length.toLocaleString('en')} parts.`,
    };
  const [old, current] = [before.statement.predicate.sbom, now.statement.predicate.sbom];
  if (old?.components && current?.components)
    return {
      changes: componentChanges(old.components, current.components).map((change) => ({
        ...change,
        licenses: null,
        origins: null,
      })),
      source: 'From the lists in the signed statements: names and versions only.',
    };
  const isWaiting = [...before.documents, ...now.documents].some(
    ({ document, outcome }) => document.kind === 'sbom' && outcome.state === 'fetching',
  );
  return {
    changes: null,
    source: isWaiting
      ? 'The bills of materials are being fetched …'
      : 'Nothing to compare: not both have a bill of materials that is here and can be read.',
  };
}

/** The notes in the statement; else those in a document, once it was hashed. */
function notesOf({ predicate }: Statement, documents: readonly CheckedDocument[]): string {
  if (predicate.notes !== undefined) return predicate.notes;
  const file = documents.find(({ document, outcome }) => document.kind === 'notes' && outcome.state === 'same');
  return file?.outcome.state === 'same' ? new TextDecoder().decode(file.outcome.bytes) : '';
}
