import { once } from 'node:events';
import { SingleBar } from 'cli-progress';

/** stdout carries the result, one line of JSON where a machine asks; everything else goes to stderr. */
export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  get isInteractive(): boolean {
    return !this.json && process.stdin.isTTY === true && process.stderr.isTTY === true;
  }

  result(value: object, text: string): void {
    process.stdout.write(`${this.json ? JSON.stringify(value) : text}\n`);
  }

  /** A result of any length, piece by piece. */
  async pieces(texts: Iterable<string>): Promise<void> {
    const { stdout } = process;
    for (const text of texts) {
      if (stdout.destroyed) return;
      if (!stdout.write(text))
        await Promise.race([once(stdout, 'drain'), once(stdout, 'close')]).catch(() => undefined);
    }
  }

  /** What happens on the way, for people. */
  note(text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`);
  }

  /** How much is done of all, bytes by default; a bar on a terminal, nothing elsewhere. */
  progress(
    label: string,
    amount: (total: number) => string = humanBytes,
  ): { update(done: number, total: number): void; stop(): void } {
    if (this.json || process.stderr.isTTY !== true) return { update: () => undefined, stop: () => undefined };
    const bar = new SingleBar({
      format: `${label.padEnd(10)} {bar} {percentage}% of {totalText}`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      stream: process.stderr,
      fps: 20,
    });
    let started = false;
    return {
      update(done, total) {
        if (!started) bar.start(total, 0, { totalText: amount(total) });
        started = true;
        bar.update(Math.min(done, total));
      },
      stop: () => bar.stop(),
    };
  }
}

export function humanBytes(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} B`;
  const power = Math.min(4, Math.floor(Math.log2(sizeBytes) / 10));
  return `${(sizeBytes / 1024 ** power).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

export function humanTime(seconds: number): string {
  return seconds === 0 ? '–' : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** `1 device`, `2 devices`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/**
 * What others have written, without what a terminal takes for a command or what turns the order of letters around: nobody's
 * notes rewrite the lines above them.
 */
export const printable = (text: string): string =>
  text.replace(/[^\P{Cc}\n\t]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');

/** Names in a column, values beside them; a value of several lines stays in its column, and so looks like no other name. */
export function fields(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const value = (text: string) => printable(text).replaceAll('\n', `\n${' '.repeat(width)}`);
  return rows.map(([name, text]) => `${name.padEnd(width)}${value(text)}`).join('\n');
}

export function table(header: readonly string[], cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map((cell) => printable(cell).replaceAll('\n', ' ')));
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
}
