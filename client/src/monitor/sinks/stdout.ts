import { alertLine } from '../alert.ts';
import type { Sink } from './sink.ts';
import { explainTrouble } from './trouble.ts';

export const stdoutName = 'stdout';

/** What is printed: a line for each alert, of JSON where a machine reads. */
export function createStdoutSink(json: boolean, stream: NodeJS.WritableStream = process.stdout): Sink {
  return {
    name: stdoutName,
    deliver: async ({ alerts }) => {
      const lines = alerts.map((alert) => `${json ? JSON.stringify(alert) : alertLine(alert)}\n`);
      // A reader that has gone (`… | head`) is told nothing any more, and holds nothing up.
      await new Promise<void>((resolve) => void stream.write(lines.join(''), () => resolve()));
    },
    explain: explainTrouble,
  };
}
