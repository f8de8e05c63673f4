import { redactUrl } from '@firmproof/protocol';

/** What happened beside, in words. */
export function recoveryText(recoveredFrom: string): string {
  return `journal-corrupt: the journal was damaged and put aside as ${recoveredFrom}; going on from the entry before it`;
}

export function certificateTexts(problems: ReadonlyMap<string, string>): readonly string[] {
  return [...problems].map(
    ([source, problem]) => `certificate-invalid: ${redactUrl(source)}: ${problem}; went on, since nothing rests on it`,
  );
}

export function warnOfRecovery(recoveredFrom: string | null): void {
  if (recoveredFrom !== null) process.stderr.write(`${recoveryText(recoveredFrom)}\n`);
}

/** Where a command only looks. */
export function warnOfDamage(file: string | null): void {
  if (file !== null)
    process.stderr.write(
      `journal-corrupt: ${file} is damaged; the next check puts it aside and goes on from the entry before it\n`,
    );
}

export function warnOfCertificates(problems: ReadonlyMap<string, string>): void {
  for (const text of certificateTexts(problems)) process.stderr.write(`${text}\n`);
}

/** Receipts never fail a command. */
export function warnOfReceipts(problem: string | null): void {
  if (problem !== null) process.stderr.write(`receipts wait: ${problem}\n`);
}
