import { useCallback, useEffect, useState } from 'react';

export type Loaded<Value> = { readonly reload: () => void } & (
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly value: Value }
  | { readonly state: 'failed'; readonly error: unknown }
);

/** Loads something once for each `key`; an answer that comes after the key has changed is dropped. */
export function useLoaded<Value>(load: () => Promise<Value>, key: string): Loaded<Value> {
  const [outcome, setOutcome] = useState<
    { state: 'loading' } | { state: 'ready'; value: Value } | { state: 'failed'; error: unknown }
  >({ state: 'loading' });
  const [attempt, setAttempt] = useState(0);
  const reload = useCallback(() => setAttempt((count) => count + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` says what `load` depends on
  useEffect(() => {
    let current = true;
    setOutcome({ state: 'loading' });
    load().then(
      (value) => current && setOutcome({ state: 'ready', value }),
      (error: unknown) => current && setOutcome({ state: 'failed', error }),
    );
    return () => {
      current = false;
    };
  }, [key, attempt]);
  return { ...outcome, reload };
}
