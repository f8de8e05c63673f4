import type { FleetOutcomes, Version } from '@firmproof/protocol';

const results = ['confirmed', 'rolled-back', 'failed'] as const;
const resultWords = { confirmed: 'Confirmed', 'rolled-back': 'Rolled back', failed: 'Failed' } as const;

type Props = { readonly outcomes: readonly FleetOutcomes[]; readonly published: readonly Version[] };

/** What became of each release, newest first; where it did not work out, why. */
export function OutcomeTable({ outcomes, published }: Props) {
  const versions = [...new Set(outcomes.map(({ version }) => version))].sort(
    (a, b) => published.indexOf(b) - published.indexOf(a) || (a < b ? 1 : -1),
  );
  if (versions.length === 0) return <p className="empty">No device has reported an installation yet.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also for those who have no pointer
    <section className="table-scroll" aria-label="Outcomes by release" tabIndex={0}>
      <table className="numbers outcomes">
        <thead>
          <tr>
            <th scope="col">Release</th>
            <td className="wide" />
            {results.map((result) => (
              <th key={result} scope="col">
                {resultWords[result]}
              </th>
            ))}
            <th scope="col" className="words">
              Why not
            </th>
          </tr>
        </thead>
        <tbody>
          {versions.map((version) => (
            <Release key={version} version={version} outcomes={outcomes.filter((one) => one.version === version)} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Release({ version, outcomes }: { version: Version; outcomes: readonly FleetOutcomes[] }) {
  const of = (result: FleetOutcomes['result']) =>
    outcomes.filter((one) => one.result === result).reduce((sum, { receipts }) => sum + receipts, 0);
  const total = results.reduce((sum, result) => sum + of(result), 0);
  const codes = outcomes
    .filter(({ result }) => result !== 'confirmed')
    .sort((a, b) => b.receipts - a.receipts)
    .map(
      ({ code, result, receipts }) => `${code ?? resultWords[result].toLowerCase()} ${receipts.toLocaleString('en')}×`,
    );
  const reasons = codes.join(', ');
  return (
    <>
      <tr>
        <th scope="row">{version}</th>
        <td className="wide">
          <span className="outcome-bar" aria-hidden="true">
            {results.map((result) => (
              <span key={result} className={result} style={{ width: `${(of(result) / total) * 100}%` }} />
            ))}
          </span>
        </td>
        {results.map((result) => (
          <td key={result}>{of(result) === 0 ? '–' : of(result).toLocaleString('en')}</td>
        ))}
        <td className="words">{reasons || '–'}</td>
      </tr>
      {/* On a phone, where the last column has no room. */}
      {reasons && (
        <tr className="reasons">
          <td colSpan={1 + results.length}>{reasons}</td>
        </tr>
      )}
    </>
  );
}
