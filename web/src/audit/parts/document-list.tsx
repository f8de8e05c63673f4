import type { ReleaseDocument } from '@firmproof/protocol';
import { describeBytes } from '@firmproof/protocol/review';
import { Icon, type IconName } from '../../parts/icon.tsx';
import type { CheckedDocument, DocumentState } from '../data/use-documents.ts';
import { downloadBytes } from './download.ts';

const kindTitles: Readonly<Record<string, string>> = {
  sbom: 'Bill of materials',
  provenance: 'Provenance',
  vex: 'VEX',
  notes: 'Release notes',
};

type Props = {
  readonly documents: readonly CheckedDocument[];
  /** Whether somebody vouches for the entry that names the statement that names them. */
  readonly isVouched: boolean;
  readonly onFetch: (document: ReleaseDocument) => void;
};

/** Documents that the build has signed for by their digests. What is shown of one was hashed here before. */
export function DocumentList({ documents, isVouched, onFetch }: Props) {
  return (
    <ul className="documents">
      {documents.map(({ document, outcome }) => (
        <li key={document.digest}>
          <div>
            <p className="document-name">
              {kindTitles[document.kind] ?? document.kind}: {document.name}{' '}
              <Outcome outcome={outcome} isVouched={isVouched} />
            </p>
            <p className="quiet">
              {document.format}, {describeBytes(document.sizeBytes)}
            </p>
            {(outcome.state === 'other' || outcome.state === 'missing') && <p className="quiet">{outcome.why}</p>}
            {outcome.state === 'same' && isText(document) && (
              <details>
                <summary>Read it</summary>
                <pre>{new TextDecoder().decode(outcome.bytes)}</pre>
              </details>
            )}
          </div>
          <Action document={document} outcome={outcome} onFetch={onFetch} />
        </li>
      ))}
    </ul>
  );
}

/** Markdown is read as it is: turning it into a page would be somebody else's markup in this one. */
const isText = ({ kind }: ReleaseDocument) => kind === 'notes';

function Outcome({ outcome, isVouched }: { outcome: DocumentState; isVouched: boolean }) {
  switch (outcome.state) {
    case 'same':
      return isVouched ? (
        <Badge tone="passed" icon="check" text="digest checked" />
      ) : (
        <Badge tone="unchecked" icon="attention" text="digest holds; nobody vouches for the entry" />
      );
    case 'other':
      return <Badge tone="failed" icon="cross" text="another file" />;
    case 'missing':
      return <Badge tone="unchecked" icon="attention" text="not to be had" />;
    case 'fetching':
      return <span className="badge">fetching …</span>;
    case 'unchecked':
      return <Badge tone="unchecked" icon="attention" text="not checked" />;
  }
}

const Badge = ({ tone, icon, text }: { tone: string; icon: IconName; text: string }) => (
  <span className={`badge ${tone} with-icon`}>
    <Icon name={icon} />
    {text}
  </span>
);

function Action({ document, outcome, onFetch }: CheckedDocument & Pick<Props, 'onFetch'>) {
  const name = <span className="visually-hidden"> {document.name}</span>;
  if (outcome.state === 'same') {
    const { bytes } = outcome;
    return (
      <button type="button" className="button" onClick={() => downloadBytes(document.name, bytes)}>
        Save{name}
      </button>
    );
  }
  return (
    <button type="button" className="button" disabled={outcome.state === 'fetching'} onClick={() => onFetch(document)}>
      Fetch and hash{name}
    </button>
  );
}
