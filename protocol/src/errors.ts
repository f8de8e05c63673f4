import { type ErrorCode, errorCatalogue } from './error-codes.ts';

export type FirmproofErrorOptions = {
  /** What to do about it; defaults to the catalogue's remedy. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Machine-readable particulars. Never secrets, never credentials. */
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
};

/** The one error class of Firmproof: a code of a closed union, one line of message, and a hint that says what to do. */
export class FirmproofError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: FirmproofErrorOptions['details'];

  constructor(code: ErrorCode, message: string, options: FirmproofErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FirmproofError';
    this.code = code;
    this.hint = options.hint ?? errorCatalogue[code].remedy;
    this.details = options.details;
  }
}

export function isFirmproofError(value: unknown): value is FirmproofError {
  return value instanceof FirmproofError;
}

/** Removes user, password, query and fragment: what is left of a URL may be printed or logged. */
export function redactUrl(url: string): string {
  if (!URL.canParse(url)) return '(unreadable address)';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
