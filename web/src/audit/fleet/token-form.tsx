import { type FormEvent, useId, useState } from 'react';
import { Section } from '../../parts/section.tsx';
import { isToken } from './kept-token.ts';

type Props = { readonly server: string; readonly onToken: (token: string) => void };

/** Receipts are the vendor's: who would see them shows a token that reads, and only reads. */
export function TokenForm({ server, onToken }: Props) {
  const [text, setText] = useState('');
  const [mistake, setMistake] = useState<string | null>(null);
  const [field, problem] = [useId(), useId()];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const token = text.trim();
    if (isToken(token)) return onToken(token);
    return setMistake('That is no token: it begins with fp_ and has 46 characters.');
  };
  return (
    <Section
      title="Only its vendor sees a fleet"
      hint="What devices report is not public. A token that may read receipts, and nothing else, opens this page."
    >
      <form className="settings-form" onSubmit={submit}>
        <label htmlFor={field}>Token with the role read-receipts</label>
        <input
          id={field}
          type="password"
          autoComplete="off"
          spellCheck={false}
          value={text}
          placeholder="fp_…"
          aria-describedby={problem}
          aria-invalid={mistake !== null}
          onChange={({ target }) => setText(target.value)}
        />
        <p id={problem} className="mistake" role="status">
          {mistake}
        </p>
        <div className="actions">
          <button type="submit" className="button primary">
            Show the fleet
          </button>
        </div>
      </form>
      <p className="quiet">
        Make one with <code>firmproof token create --role read-receipts</code>. It is sent to <code>{server}</code>{' '}
        alone, is in no address, and is forgotten when this tab is closed.
      </p>
    </Section>
  );
}
