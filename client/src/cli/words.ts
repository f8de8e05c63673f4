import { FirmproofError } from '@firmproof/protocol';

/**
 * The words of a command line: between spaces, or in single or double quotes. Nothing else of what a shell knows.
 * @throws FirmproofError `usage-invalid` for an open quote or no words
 */
export function splitWords(text: string): string[] {
  const words = [...text.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)];
  const rest = words.reduceRight(
    (left, { 0: word, index }) => left.slice(0, index) + left.slice(index + word.length),
    text,
  );
  if (rest.trim() !== '') throw new FirmproofError('usage-invalid', `the quotes in "${text}" are not closed`);
  if (words.length === 0) throw new FirmproofError('usage-invalid', 'the command is empty');
  return words.map(([word]) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
}
