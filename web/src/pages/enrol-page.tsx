import { formatSigner } from '@firmproof/protocol';
import { describeTime } from '@firmproof/protocol/review';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { CopyButton } from '../parts/copy-button.tsx';
import { Failure } from '../parts/failure.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { Section } from '../parts/section.tsx';
import { forgetPasskey, type KeptPasskey, keptPasskeys } from '../passkey/kept.ts';
import { makePasskey, passkeyObstacle } from '../passkey/webauthn.ts';

/** Makes a passkey, and shows what to pass on so that it becomes a signer. */
export function EnrolPage() {
  const [kept, setKept] = useState(keptPasskeys);
  const [made, setMade] = useState<KeptPasskey | null>(null);
  const refresh = () => setKept(keptPasskeys());
  const listed = kept.filter(({ signer }) => signer !== made?.signer);
  return (
    <>
      <PageTitle>Your passkey as a signer</PageTitle>
      <p className="lead">
        A passkey is a key that your laptop, phone or security key keeps and that only signs after your fingerprint,
        face or code. It belongs to these pages: <strong>{location.hostname}</strong>, and to no other.
      </p>
      {made && <Made key={made.signer} passkey={made} />}
      <Section title={made || kept.length > 0 ? 'Make another passkey' : 'Make a passkey'}>
        <MakeForm
          onMade={(passkey) => {
            setMade(passkey);
            refresh();
          }}
        />
      </Section>
      <Section title="Passkeys of this browser" hint="Made or used here. The list is kept in this browser only.">
        {listed.length === 0 ? (
          <p className="empty">
            {made ? 'No other.' : 'None yet.'} A passkey that you made elsewhere appears here once you approve with it.
          </p>
        ) : (
          <ul className="kept">
            {listed.map((passkey) => (
              <li key={passkey.signer}>
                <p className="kept-head">
                  <strong>{passkey.label}</strong> <span className="quiet">{describeTime(passkey.createdAt)}</span>
                </p>
                <SignerText passkey={passkey} />
                <button
                  type="button"
                  className="button plain"
                  onClick={() => {
                    forgetPasskey(passkey);
                    refresh();
                  }}
                >
                  Take “{passkey.label}” off this list
                </button>
              </li>
            ))}
          </ul>
        )}
      </Section>
    </>
  );
}

/** Reading goes on here once the passkey is made. */
function Made({ passkey }: { passkey: KeptPasskey }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.focus(), []);
  return (
    <div ref={place} tabIndex={-1} className="arrival">
      <Notice tone="good" title={`“${passkey.label}” is made.`}>
        <p>Pass this on to whoever changes the signers of your account. It is not secret, but it must be yours:</p>
        <SignerText passkey={passkey} />
      </Notice>
    </div>
  );
}

function SignerText({ passkey }: { passkey: KeptPasskey }) {
  const text = formatSigner(passkey.signer);
  return (
    <div className="signer-text">
      <code className="exact">{text}</code>
      <CopyButton text={text} label={`Copy the signer of “${passkey.label}”`} />
    </div>
  );
}

function MakeForm({ onMade }: { onMade: (passkey: KeptPasskey) => void }) {
  const [label, setLabel] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [field, help] = [useId(), useId()];
  const obstacle = passkeyObstacle();
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      onMade(await makePasskey(label.trim()));
      setLabel('');
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label htmlFor={field}>Your name and device</label>
      <div className="field-row">
        <input
          id={field}
          required
          maxLength={60}
          value={label}
          onChange={({ target }) => setLabel(target.value)}
          autoComplete="off"
          placeholder="Ada, laptop"
          aria-describedby={help}
        />
        <button type="submit" className="button primary" disabled={busy || obstacle !== null || label.trim() === ''}>
          {busy ? 'Waiting for your device …' : 'Make a passkey'}
        </button>
      </div>
      <p id={help} className="quiet why">
        It stays with your device, and is lost with it unless your system copies passkeys. Give a team more than one way
        to approve.
      </p>
      {error !== null && <Failure error={error} />}
    </form>
  );
}
