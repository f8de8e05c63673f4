import { errorCatalogue, FirmproofError, isErrorCode } from '@firmproof/protocol';

/** What a code means and what to do, for people or as JSON. @throws FirmproofError `usage-invalid` for what is no code */
export function explain(code: string | undefined, json: boolean): string {
  if (code === undefined || !isErrorCode(code)) {
    const known = Object.keys(errorCatalogue).filter((other) => code !== undefined && other.includes(code));
    throw new FirmproofError('usage-invalid', code === undefined ? 'which code?' : `"${code}" is no code`, {
      hint: known.length > 0 ? `Did you mean ${known.join(' or ')}?` : 'Codes are printed by `check` and `install`.',
    });
  }
  const { meaning, remedy } = errorCatalogue[code];
  return json ? JSON.stringify({ code, meaning, remedy }) : `${code}\n  ${meaning}\n  What to do: ${remedy}`;
}
