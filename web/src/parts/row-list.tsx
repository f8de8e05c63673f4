import type { Row } from '@firmproof/protocol/review';
import { SignerName } from './signer-name.tsx';

const changeWords = { stays: 'stays', comes: 'new', goes: 'removed' } as const;

/** What is approved, line by line. */
export function RowList({ rows }: { rows: readonly Row[] }) {
  return (
    <dl className="rows">
      {rows.map((row) => (
        <div className="row" key={row.label}>
          <dt>{row.label}</dt>
          <dd>
            <Value row={row} />
            {row.before !== undefined && (
              <span className="before">
                <span className="quiet">now: </span>
                {row.before}
              </span>
            )}
            {row.saidByServer && <span className="badge server-said">said by the server</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ row }: { row: Row }) {
  if (row.signers !== undefined && row.signers.length > 0) {
    return (
      <>
        <ul className="signers">
          {row.signers.map(({ signer, change }) => (
            <li key={signer} className={change}>
              <SignerName signer={signer} whole={change !== 'goes'} />
              <span className={`badge ${change}`}>{changeWords[change]}</span>
            </li>
          ))}
        </ul>
        <span className="quiet signers-note">
          Compare each key with what its owner tells you. Who is new and who goes is seen against the signers that the
          server names.
        </span>
      </>
    );
  }
  if (row.exact) return <code className="exact">{row.value}</code>;
  return <span className={row.label === 'Notes' ? 'notes' : undefined}>{row.value}</span>;
}
