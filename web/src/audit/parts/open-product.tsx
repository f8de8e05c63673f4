import { type FormEvent, useId, useState } from 'react';
import { Section } from '../../parts/section.tsx';

/** For somebody who has an id, or a link to these pages elsewhere. */
export function OpenProduct() {
  const [text, setText] = useState('');
  const [mistake, setMistake] = useState<string | null>(null);
  const [field, problem] = [useId(), useId()];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const id = /0x[0-9a-f]{64}/i.exec(text)?.[0];
    if (id === undefined) setMistake('A product id is 0x and 64 digits.');
    else location.hash = `#/product/${id.toLowerCase()}`;
  };
  return (
    <Section title="Open a product by its id">
      <form className="open" onSubmit={submit}>
        <label htmlFor={field}>Product id, or a link that has it</label>
        <div className="field-row">
          <input
            id={field}
            value={text}
            onChange={({ target }) => setText(target.value)}
            autoComplete="off"
            spellCheck={false}
            placeholder="0x…"
            aria-describedby={problem}
            aria-invalid={mistake !== null}
          />
          <button type="submit" className="button primary">
            Open
          </button>
        </div>
        <p id={problem} className="mistake" role="status">
          {mistake}
        </p>
      </form>
    </Section>
  );
}
