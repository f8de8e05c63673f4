import type { Address, ServerLogAction } from '@firmproof/protocol';

const windowSeconds = 3600;

type Fold = { readonly owner: Address; readonly action: ServerLogAction; readonly since: number; count: number };

/**
 * Counts refusals that are not told one by one. In memory: a crash loses a count, never that there was a refusal. Owners are
 * those that have a log, so strangers cannot make it grow.
 */
export function createFolds(nowSeconds: () => number) {
  const folds = new Map<string, Fold>();

  function take(which: (fold: Fold) => boolean): readonly Fold[] {
    const taken = [...folds].filter(([, fold]) => which(fold));
    for (const [key] of taken) folds.delete(key);
    return taken.map(([, fold]) => fold).filter(({ count }) => count > 0);
  }

  return {
    /** Whether this one is told by itself; else it is counted. */
    isFirst(owner: Address, action: ServerLogAction): boolean {
      const key = `${owner} ${action}`;
      const fold = folds.get(key);
      if (fold === undefined) {
        folds.set(key, { owner, action, since: nowSeconds(), count: 0 });
        return true;
      }
      fold.count += 1;
      return false;
    },

    /** Of this owner, those whose hour is over; they are counted no longer. */
    elapsed: (owner: Address) => take((fold) => fold.owner === owner && fold.since <= nowSeconds() - windowSeconds),

    all: () => take(() => true),
  };
}
