import { useCallback, useEffect, useRef, useState } from 'react';
import type { FleetReader } from './fleet-reader.ts';
import { type Verified, verifyReceipts } from './verify-receipts.ts';

export type Verification =
  | { readonly state: 'none' }
  | { readonly state: 'running'; readonly scope: Verified['scope']; readonly receipts: number }
  | { readonly state: 'done'; readonly verified: Verified }
  | { readonly state: 'failed'; readonly error: unknown };

/** Verifies receipts in this browser, at once where there are few, and stops when the page is left. */
export function useVerification(
  reader: FleetReader,
  atOnce: boolean,
): {
  readonly verification: Verification;
  readonly start: (scope: Verified['scope']) => void;
  readonly stop: () => void;
} {
  const [verification, setVerification] = useState<Verification>({ state: 'none' });
  const running = useRef<AbortController | null>(null);
  const stop = useCallback(() => {
    running.current?.abort();
    running.current = null;
    setVerification({ state: 'none' });
  }, []);
  const start = useCallback(
    (scope: Verified['scope']) => {
      running.current?.abort();
      const controller = new AbortController();
      const { signal } = controller;
      running.current = controller;
      const tell = (next: Verification) => {
        if (!signal.aborted) setVerification(next);
      };
      tell({ state: 'running', scope, receipts: 0 });
      verifyReceipts(reader, {
        scope,
        signal,
        onProgress: (receipts) => tell({ state: 'running', scope, receipts }),
      }).then(
        (verified) => tell({ state: 'done', verified }),
        (error: unknown) => tell({ state: 'failed', error }),
      );
    },
    [reader],
  );
  useEffect(() => {
    if (atOnce) start('all');
    return () => running.current?.abort();
  }, [atOnce, start]);
  return { verification, start, stop };
}
