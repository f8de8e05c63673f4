import { useState } from 'react';
import { shortHex } from './words.ts';

/** A long identifier, cut; pressing it copies the whole. */
export function ShortId({ id, what }: { id: string; what: string }) {
  const [outcome, setOutcome] = useState('');
  const copy = () => {
    navigator.clipboard.writeText(id).then(
      () => setOutcome('copied'),
      () => setOutcome('cannot be copied here'),
    );
  };
  return (
    <span className="short-id">
      <button type="button" title={id} onClick={copy} onBlur={() => setOutcome('')}>
        <span className="visually-hidden">Copy {what} </span>
        <code>{shortHex(id)}</code>
      </button>
      <span className="copied" role="status">
        {outcome}
      </span>
    </span>
  );
}
