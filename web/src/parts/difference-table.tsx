import type { Difference } from '@firmproof/protocol/review';

/** A release beside the one before it. */
export function DifferenceTable({ version, list }: { version: string; list: readonly Difference[] }) {
  return (
    <table className="differences">
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">What</span>
          </th>
          <th scope="col">{version}</th>
          <th scope="col">This one</th>
        </tr>
      </thead>
      <tbody>
        {list.map(({ label, before, now, same }) => (
          <tr key={label} className={same ? 'same' : 'changed'}>
            <th scope="row">{label}</th>
            <td>{before}</td>
            <td>{same ? <span className="quiet">the same</span> : now}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
