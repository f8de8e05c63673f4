import type { SbomChange } from '@firmproof/protocol';
import { useDeferredValue, useId, useMemo, useState } from 'react';
import { plural } from '../parts/words.ts';

const kinds = ['changed', 'added', 'removed'] as const;
type Kind = (typeof kinds)[number];
const rowsAtOnce = 100;

const kindOf = ({ before, now }: Pick<SbomChange, 'before' | 'now'>): Kind =>
  before.length === 0 ? 'added' : now.length === 0 ? 'removed' : 'changed';

/** Parts of the product that come, go or change; a long list is looked through by name, and grows as one reads. */
export function ComponentList({ changes }: { changes: readonly SbomChange[] }) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Kind | null>(null);
  const [shown, setShown] = useState(rowsAtOnce);
  const field = useId();
  const wanted = useDeferredValue(name.trim().toLowerCase());
  const found = useMemo(
    () =>
      changes.filter(
        (change) => change.name.toLowerCase().includes(wanted) && (kind === null || kindOf(change) === kind),
      ),
    [changes, wanted, kind],
  );
  if (changes.length === 0) return <p className="empty">Both have the same parts.</p>;
  return (
    <>
      <div className="component-filter">
        <label htmlFor={field} className="visually-hidden">
          Look for a component
        </label>
        <input
          id={field}
          type="search"
          placeholder="Look for a component"
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <div className="chips">
          {kinds.map((one) => (
            <button
              key={one}
              type="button"
              className={`button chip ${one}`}
              aria-pressed={kind === one}
              onClick={() => setKind(kind === one ? null : one)}
            >
              {changes.filter((change) => kindOf(change) === one).length.toLocaleString('en')} {one}
            </button>
          ))}
        </div>
      </div>
      <p className="quiet" role="status">
        {found.length === changes.length
          ? plural(changes.length, 'difference')
          : `${found.length.toLocaleString('en')} of ${plural(changes.length, 'difference')}`}
      </p>
      <ul className="components">
        {found.slice(0, shown).map((change) => (
          <Component key={change.name} change={change} />
        ))}
      </ul>
      {found.length > shown && (
        <button type="button" className="button" onClick={() => setShown(shown + rowsAtOnce)}>
          Show {Math.min(rowsAtOnce, found.length - shown)} more
        </button>
      )}
    </>
  );
}

const list = (values: readonly string[]) => values.map((value) => value || 'no version').join(', ');

function Component({ change }: { change: SbomChange }) {
  const { name, before, now, licenses, origins } = change;
  const kind = kindOf(change);
  const isMoved = before.join('\n') !== now.join('\n');
  return (
    <li className={kind}>
      <span className="component-kind">{kind}</span>
      <span className="component-name">{name}</span>
      <span className="component-versions">
        {before.length > 0 && isMoved && <del>{list(before)}</del>}
        {kind === 'changed' && isMoved && <span aria-hidden="true"> → </span>}
        {now.length > 0 && (isMoved ? <ins>{list(now)}</ins> : list(now))}
      </span>
      {licenses && (
        <span className="component-more">
          License: <del>{list(licenses.before)}</del> → <ins>{list(licenses.now)}</ins>
        </span>
      )}
      {origins && (
        <span className="component-more">
          Comes from: <del>{list(origins.before)}</del> → <ins>{list(origins.now)}</ins>
        </span>
      )}
    </li>
  );
}
