import type { Difference } from '@firmproof/protocol/review';

type Props = {
  readonly caption: string;
  readonly names: readonly [before: string, now: string];
  readonly rows: readonly Difference[];
};

/** Side by side; what differs is marked by more than its colour. */
export function DifferenceTable({ caption, names, rows }: Props) {
  return (
    <table className="compared">
      <caption className="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">What</span>
          </th>
          <th scope="col">{names[0]}</th>
          <th scope="col">{names[1]}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ label, before, now, same }) => (
          <tr key={label} className={same ? 'same' : 'differs'}>
            <th scope="row">
              {label}
              {!same && <span className="visually-hidden"> (differs)</span>}
            </th>
            <td>{before}</td>
            <td>{now}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
