// docs/errors.md, from the catalogue: `node test/docs/render-errors.ts` writes it.
import { writeFileSync } from 'node:fs';
import { type ErrorCode, errorCatalogue, isDeviceCode, outcomeOf } from '@firmproof/protocol';

export const errorsFile = new URL('../../docs/errors.md', import.meta.url);

/** What the agent says of itself, not of evidence. */
const noVerdicts: readonly ErrorCode[] = [
  'health-check-failed',
  'journal-corrupt',
  'install-in-progress',
  'nothing-to-confirm',
];

export function renderErrors(): string {
  const codes = Object.keys(errorCatalogue) as ErrorCode[];
  const entry = (code: ErrorCode) => {
    const { meaning, remedy } = errorCatalogue[code];
    const outcome = isDeviceCode(code) && !noVerdicts.includes(code) ? ` A device's outcome: ${outcomeOf(code)}.` : '';
    return `## ${code}\n\n${meaning}${outcome}\n\n_What to do:_ ${remedy}\n`;
  };
  return `# Errors

Every code that the server (problem+json), the commands and the devices can answer with. \`firmproof explain <code>\` and
\`firmproof-agent explain <code>\` print the same.

${codes.map(entry).join('\n')}`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) writeFileSync(errorsFile, renderErrors());
