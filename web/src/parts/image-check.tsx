import { describeBytes } from '@firmproof/protocol/review';
import { type DragEvent, useId, useState } from 'react';
import { type ImageState, isSameImage } from '../image/use-image.ts';
import { Notice } from './notice.tsx';

type Props = {
  readonly approved: { readonly digest: string; readonly cid: string | null };
  readonly chosen: ImageState;
  readonly onChoose: (file: File) => void;
  readonly words?: ImageWords;
};

/** What the image is compared for. */
type ImageWords = {
  readonly same: string;
  readonly other: string;
  readonly expected: string;
  /** Whether it is known that the image is the one that counts. */
  readonly isSure: boolean;
};
const approvalWords: ImageWords = {
  same: 'This file is the image that you approve.',
  other: 'This file is another image. Do not approve.',
  expected: 'that you would approve',
  isSure: true,
};

/** Compares the image that is approved with a file that the person has from elsewhere. */
export function ImageCheck({ approved, chosen, onChoose, words = approvalWords }: Props) {
  const [over, setOver] = useState(false);
  const input = useId();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file) onChoose(file);
  };
  return (
    <>
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
          className="visually-hidden"
          onChange={({ target }) => {
            const file = target.files?.[0];
            if (file) onChoose(file);
          }}
        />
        <span className="drop-title">Drop the image here, or choose it</span>
        <span className="quiet">
          Take it from your own build, not from this server. It is hashed here and sent nowhere.
        </span>
      </label>
      <Outcome approved={approved} chosen={chosen} words={words} />
    </>
  );
}

function Outcome({ approved, chosen, words }: Omit<Required<Props>, 'onChoose'>) {
  switch (chosen.state) {
    case 'none':
      return null;
    case 'hashing':
      return (
        <p className="hashing">
          <progress value={chosen.done} max={1} aria-label={`Hashing ${chosen.name}`} />
          <span>
            Hashing <span className="file">{chosen.name}</span> … {Math.floor(chosen.done * 100)} %
          </span>
        </p>
      );
    case 'failed':
      return (
        <Notice tone="bad" title="The file could not be hashed.">
          <span className="file">{chosen.name}</span>: {chosen.message}.
        </Notice>
      );
    case 'known': {
      const same = isSameImage(chosen, approved);
      return (
        <Notice tone={same ? (words.isSure ? 'good' : 'warn') : 'bad'} title={same ? words.same : words.other}>
          <dl className="compare">
            <dt>File</dt>
            <dd className="file">
              {chosen.name}, {describeBytes(chosen.image.sizeBytes)}
            </dd>
            <dt>sha-256, computed here</dt>
            <dd>
              <code className="exact">{chosen.image.digest}</code>
            </dd>
            {!same && (
              <>
                <dt>sha-256 {words.expected}</dt>
                <dd>
                  <code className="exact">{approved.digest}</code>
                </dd>
              </>
            )}
            <dt>CID, computed here</dt>
            <dd>
              <code className="exact">{chosen.image.cid}</code>
            </dd>
          </dl>
        </Notice>
      );
    }
  }
}
