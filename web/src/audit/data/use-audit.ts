import type { ProductId } from '@firmproof/protocol';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { type AuditSettings, useSettings } from '../settings/settings.ts';
import { auditProduct, type ProductAudit, type Progress } from './audit.ts';

export type Auditing =
  | { readonly state: 'running'; readonly progress: Progress }
  | { readonly state: 'done'; readonly audit: ProductAudit }
  | { readonly state: 'failed'; readonly error: unknown };

type Listener = (auditing: Auditing) => void;
type Running = { readonly key: string; last: Auditing; readonly listeners: Set<Listener>; stop: () => void };

/** The one that was looked at last stays: from a product to its release and back nothing is replayed again. */
let current: Running | null = null;
/** Whoever shows something of it beside the page. */
const watchers = new Set<() => void>();
const tellWatchers = () => {
  for (const watcher of watchers) watcher();
};

const keyOf = (product: ProductId, { server, trustRoots, rpcUrls, rpcQuorum }: AuditSettings) =>
  JSON.stringify([product, server, trustRoots.get(product)?.digest, rpcUrls, rpcQuorum]);

function running(product: ProductId, settings: AuditSettings): Running {
  const key = keyOf(product, settings);
  if (current?.key === key) return current;
  current?.stop();
  const next: Running = {
    key,
    last: { state: 'running', progress: { sequence: 0, total: null } },
    listeners: new Set(),
    stop: () => undefined,
  };
  current = next;
  tellWatchers();
  const tell = (auditing: Auditing) => {
    next.last = auditing;
    for (const listener of next.listeners) listener(auditing);
    tellWatchers();
  };
  auditProduct(product, settings, (progress) => tell({ state: 'running', progress })).then(
    ({ audit, stop }) => {
      // Whoever looks at another product by now needs this one's worker no more.
      if (current === next) next.stop = stop;
      else stop();
      tell({ state: 'done', audit });
    },
    (error: unknown) => {
      if (current === next) current = null;
      tell({ state: 'failed', error });
    },
  );
  return next;
}

/** Audits a product once for its page and for those of its releases. */
export function useAudit(product: ProductId): Auditing & { readonly again: () => void } {
  const { settings } = useSettings();
  const [attempt, setAttempt] = useState(0);
  const [auditing, setAuditing] = useState<Auditing>({ state: 'running', progress: { sequence: 0, total: null } });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt begins anew
  useEffect(() => {
    const shared = running(product, settings);
    setAuditing(shared.last);
    shared.listeners.add(setAuditing);
    return () => {
      shared.listeners.delete(setAuditing);
    };
  }, [product, settings, attempt]);
  const again = () => {
    current?.stop();
    current = null;
    setAttempt((count) => count + 1);
  };
  return { ...auditing, again };
}

const watch = (watcher: () => void) => {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
};
const lastAudit = () => (current?.last.state === 'done' ? current.last.audit : null);

/** What the page about a product has found out so far, for what stands beside it; null until it has. */
export function useLastAudit(product: ProductId | null): ProductAudit | null {
  const audit = useSyncExternalStore(watch, lastAudit);
  return audit?.product === product ? audit : null;
}
