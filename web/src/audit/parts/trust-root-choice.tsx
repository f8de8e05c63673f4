import { isFirmproofError, parseTrustRoot, type TrustRoot } from '@firmproof/protocol';
import { type DragEvent, useId, useState } from 'react';
import { MarkedText } from '../../parts/marked-text.tsx';

const maximumFileBytes = 256 * 1024;

/** Takes a trust root as a file or as text: dropped, chosen or pasted. Its own signatures are checked before it is used. */
export function TrustRootChoice({ onChoose }: { onChoose: (trustRoot: TrustRoot) => void }) {
  const [over, setOver] = useState(false);
  const [text, setText] = useState('');
  const [mistake, setMistake] = useState<string | null>(null);
  const [input, area, problem] = [useId(), useId(), useId()];

  function take(content: string): void {
    try {
      onChoose(parseTrustRoot(content));
      setMistake(null);
      setText('');
    } catch (error) {
      setMistake(isFirmproofError(error) ? `${error.message}. ${error.hint}` : 'This is no trust root.');
    }
  }
  async function read(file: File | undefined): Promise<void> {
    if (!file) return;
    if (file.size > maximumFileBytes) setMistake('This file is too large for a trust root.');
    else take(await file.text());
  }
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void read(event.dataTransfer.files[0]);
  };
  return (
    <div className="trust-root-choice">
      <label
        className={`drop ${over ? 'over' : ''}`}
        htmlFor={input}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <input
          id={input}
          type="file"
          accept=".json,application/json"
          className="visually-hidden"
          aria-describedby={problem}
          onChange={({ target }) => {
            void read(target.files?.[0]);
            target.value = '';
          }}
        />
        <span className="drop-title">Drop trust-root.json here, or choose it</span>
        <span className="quiet">
          Take it from the vendor or from a device image, not from this server: its witnesses are believed.
        </span>
      </label>
      <details>
        <summary>Paste it instead</summary>
        <label htmlFor={area}>Content of trust-root.json</label>
        <textarea id={area} rows={4} value={text} spellCheck={false} onChange={({ target }) => setText(target.value)} />
        <button type="button" className="button" disabled={text.trim() === ''} onClick={() => take(text)}>
          Use this trust root
        </button>
      </details>
      <p id={problem} className="mistake" role="status">
        {mistake !== null && <MarkedText text={mistake} />}
      </p>
    </div>
  );
}
