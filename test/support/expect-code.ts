import { type ErrorCode, type FirmproofError, isFirmproofError } from '@firmproof/protocol';
import { expect } from 'vitest';

/** The action must fail with exactly this code: no test passes for the wrong reason. */
export async function expectCode(code: ErrorCode, action: () => unknown): Promise<void> {
  await refusalOf(code, action);
}

/** The same, for whoever looks at the message too. */
export async function refusalOf(code: ErrorCode, action: () => unknown): Promise<FirmproofError> {
  let outcome: unknown;
  try {
    outcome = await action();
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    expect(error.code, error.message).toBe(code);
    return error;
  }
  throw new Error(`expected ${code}, but nothing failed (${String(outcome)})`);
}
