import { isFirmproofError } from '@firmproof/protocol';
import { MarkedText } from './marked-text.tsx';
import { Notice } from './notice.tsx';

/** What went wrong, in one sentence, with its code and what to do. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const known = isFirmproofError(error);
  const message = error instanceof Error ? error.message : String(error);
  return (
    <Notice tone="bad" title={`${message.charAt(0).toUpperCase()}${message.slice(1)}.`}>
      <p>{known ? <MarkedText text={error.hint} /> : 'Reload the page.'}</p>
      <p className="code">
        Code: <code>{known ? error.code : 'internal'}</code>
      </p>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </Notice>
  );
}
