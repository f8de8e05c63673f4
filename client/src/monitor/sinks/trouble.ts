/** What a sink refuses, in words that may be printed. */
export class SinkRefusal extends Error {}

/** The system's code of a failure of the network, which names nothing; never its message, which may hold addresses. */
export function explainTrouble(error: unknown): string {
  if (error instanceof SinkRefusal) return error.message;
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return 'no answer in time';
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z0-9_]{2,40}$/.test(cause.code)) return cause.code;
  }
  return 'failed';
}
