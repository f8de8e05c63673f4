import { type ErrorCode, isFirmproofError } from '@firmproof/protocol';
import type { FindingCode } from '@firmproof/protocol/audit';

/**
 * Something that stands between what is shown and being sure of it. `bad`: somebody was found out, or something is false.
 * `warn`: something could not be looked at.
 */
export type Problem = {
  readonly severity: 'bad' | 'warn';
  readonly code: FindingCode | ErrorCode;
  /** A whole sentence. */
  readonly text: string;
};

export const bad = (code: Problem['code'], text: string): Problem => ({ severity: 'bad', code, text });
export const warn = (code: Problem['code'], text: string): Problem => ({ severity: 'warn', code, text });

/** A sentence out of what was thrown: "The server's proof: a Merkle proof does not lead to its root." */
export function problemOf(severity: Problem['severity'], who: string, error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  return { severity, code: isFirmproofError(error) ? error.code : 'internal', text: `${who}: ${message}.` };
}
