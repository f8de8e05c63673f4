import type { z } from 'zod';
import type { ErrorCode } from './error-codes.ts';
import { FirmproofError } from './errors.ts';

/** The mistakes of a failed parse, one a line, each with its path. */
export function describeIssues(error: z.ZodError): readonly string[] {
  const told = new Set<string>();
  return error.issues.slice(0, 20).flatMap((issue) => {
    const place = issue.path.join('.') || '(document)';
    if (issue.code === 'unrecognized_keys')
      return issue.keys.slice(0, 20).map((key) => `${[...issue.path, key.slice(0, 100)].join('.')}: is not known here`);
    if (issue.code !== 'invalid_type') return told.has(place) ? [] : `${place}: ${issue.message}`;
    // What is said of the length of something that is no list says nothing.
    told.add(place);
    return `${place}: ${typeMistake(issue.message)}`;
  });
}

/** What is not there has no type: so the parser says it, and words for people differ. */
const typeMistake = (message: string): string =>
  message.endsWith(', received undefined')
    ? 'is missing'
    : message.replace(/^Invalid input: expected (\w+), received (\w+)$/, 'has to be of type $1, not $2');

/**
 * Parses bounded JSON text against a schema: the size is checked first, then the syntax, then all fields at once.
 * @throws FirmproofError with the given code, naming what is wrong
 */
export function parseJson<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  options: {
    readonly code: ErrorCode;
    readonly maximumBytes: number;
    readonly what: string;
    /** What to do about any of it, where the code's own remedy does not fit. */
    readonly hint?: string;
  },
): z.output<Schema> {
  const { code, maximumBytes, what } = options;
  const more = options.hint === undefined ? {} : { hint: options.hint };
  if (text.length > maximumBytes) throw new FirmproofError(code, `${what} is larger than ${maximumBytes} bytes`, more);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FirmproofError(code, `${what} is no JSON`, { ...more, cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const mistakes = describeIssues(parsed.error);
    throw new FirmproofError(code, `${what} is malformed: ${mistakes.join('; ')}`, { ...more, details: { mistakes } });
  }
  return parsed.data;
}

/**
 * Whoever walks a document recursively must not meet one that was made to be deep. Linear, and before anything is parsed.
 * @throws FirmproofError with the given code
 */
export function requireShallow(
  text: string,
  maximumNesting: number,
  { code, what }: { readonly code: ErrorCode; readonly what: string },
): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (inString) {
      if (character === backslash) index += 1;
      else if (character === quote) inString = false;
    } else if (character === quote) inString = true;
    else if (character === openingBracket || character === openingBrace) depth += 1;
    else if (character === closingBracket || character === closingBrace) depth -= 1;
    if (depth > maximumNesting) throw new FirmproofError(code, `${what} is nested more than ${maximumNesting} deep`);
  }
}

const [quote, backslash, openingBracket, closingBracket, openingBrace, closingBrace] = [34, 92, 91, 93, 123, 125];

/** UTF-8 text of the bytes. @throws FirmproofError with the given code when they are no UTF-8 */
export function utf8Text(bytes: Uint8Array, code: ErrorCode, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FirmproofError(code, `${what} is no UTF-8 text`, { cause });
  }
}
