import { type DiffLine, lineDiff } from '@firmproof/protocol';
import { useMemo } from 'react';

const signs = { same: ' ', gone: '−', new: '+' } as const;
const words = { same: '', gone: 'Gone: ', new: 'New: ' } as const;
const shownLines = 1000;

/** Notes as they are, line by line: turning them into a page would be somebody else's markup in this one. */
export function NotesDiff({ before, now }: { before: string; now: string }) {
  const lines = useMemo(() => lineDiff(before, now), [before, now]);
  if (lines.length === 0) return <p className="empty">Neither has notes.</p>;
  return (
    <ol className="notes-diff">
      {lines.slice(0, shownLines).map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same line may stand there twice, and none of them moves
        <Line key={index} line={line} />
      ))}
    </ol>
  );
}

const Line = ({ line: { kind, text } }: { line: DiffLine }) => (
  <li className={kind}>
    <span className="sign" aria-hidden="true">
      {signs[kind]}
    </span>
    <span className="visually-hidden">{words[kind]}</span>
    {text}
  </li>
);
