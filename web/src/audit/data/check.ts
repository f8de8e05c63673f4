import type { Check } from '@firmproof/protocol/review';

export type { Check } from '@firmproof/protocol/review';

export const check = (name: string, outcome: Check['outcome'], text: string): Check => ({ name, outcome, text });

/** The one check of something that is not the record: a file that the visitor has from elsewhere. */
export const imageCheckName = 'Image';

export const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * A check against an entry is worth as much as the entry: where nobody vouches for that, what holds is said, and is not called
 * checked.
 */
export function onlyIf(isVouched: boolean, { name, outcome, text }: Check): Check {
  if (isVouched || outcome !== 'passed') return { name, outcome, text };
  return { name, outcome: 'unchecked', text: `${text} But nobody whom you believe vouches for the entry.` };
}
