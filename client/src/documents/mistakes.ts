import { describeIssues } from '@firmproof/protocol';
import type { z } from 'zod';

const named = 3;

/** The first mistakes of a failed parse with their places, in one line. */
export function mistakesIn(error: z.ZodError, prefix = ''): string {
  const all = describeIssues(error).map((mistake) => `${prefix}${mistake}`);
  const more = all.length > named ? `; and ${all.length - named} more` : '';
  return `${all.slice(0, named).join('; ')}${more}`;
}
