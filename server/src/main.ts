import { isFirmproofError } from '@firmproof/protocol';
import { parseConfig } from './config.ts';
import { greetingOf } from './greeting.ts';
import { startServer } from './server.ts';

/** Exit codes: 0 stopped in order, 1 a mistake of our own, 2 configuration, 7 something that is needed cannot be had. */
function exitCodeOf(error: unknown): number {
  if (!isFirmproofError(error)) return 1;
  return ['config-invalid', 'file-not-found'].includes(error.code) ? 2 : 7;
}

async function main(): Promise<void> {
  const starting = startServer(parseConfig(process.env));
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    starting
      .then((server) => server.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
  };
  // From the first moment on: a server that is stopped while it starts must not leave its chain behind.
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Beside the log, which is for machines and on stdout.
  console.error(greetingOf(await starting));
}

main().catch((error: unknown) => {
  if (isFirmproofError(error)) {
    const mistakes = error.details?.['mistakes'];
    const lines = Array.isArray(mistakes) ? mistakes.map((mistake) => `  - ${mistake}`) : [];
    console.error(
      [
        `${error.code}: ${lines.length > 0 ? 'the configuration has mistakes:' : error.message}`,
        ...lines,
        error.hint,
      ].join('\n'),
    );
  } else console.error(error);
  process.exitCode = exitCodeOf(error);
});
