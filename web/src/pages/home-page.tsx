import { parseAddress } from '@firmproof/protocol';
import { type FormEvent, useId, useState } from 'react';
import { PageTitle } from '../parts/page-title.tsx';
import { Section } from '../parts/section.tsx';
import { keptPasskeys } from '../passkey/kept.ts';

/** Where somebody lands without a link. */
export function HomePage() {
  const passkeys = keptPasskeys().length;
  return (
    <>
      <PageTitle>Approve with a passkey</PageTitle>
      <p className="lead">
        Nothing is published by one person alone. These pages show what you are asked to approve, check it in your
        browser, and sign it with a key that never leaves your device.
      </p>
      <Section title="Open a proposal or an account">
        <OpenForm />
      </Section>
      <Section title="Your passkeys">
        <p>
          {passkeys === 0
            ? 'No passkey was made in this browser yet.'
            : `${passkeys === 1 ? 'One passkey is' : `${passkeys} passkeys are`} known in this browser.`}
        </p>
        <p>
          <a className="button" href="#/enrol">
            {passkeys === 0 ? 'Make a passkey' : 'See passkeys, make another'}
          </a>
        </p>
      </Section>
    </>
  );
}

function OpenForm() {
  const [text, setText] = useState('');
  const [mistake, setMistake] = useState<string | null>(null);
  const [field, problem] = [useId(), useId()];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted = text
      .trim()
      .replace(/^.*#\/(?:proposal|account)\//, '')
      .toLowerCase();
    if (/^0x[0-9a-f]{64}$/.test(wanted)) location.hash = `#/proposal/${wanted}`;
    else if (/^0x[0-9a-f]{40}$/.test(wanted)) location.hash = `#/account/${parseAddress(wanted)}`;
    else setMistake('That is neither: an id is 0x and 64 digits, an address is 0x and 40.');
  };
  return (
    <form className="open" onSubmit={submit}>
      <label htmlFor={field}>Link, proposal id or account address</label>
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
  );
}
