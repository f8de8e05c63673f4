import { loadAgent, openAgent } from '../agent.ts';
import { check } from '../check.ts';
import { readConfig } from '../config.ts';
import { confirm, type InstallResult, install } from '../install.ts';
import { sendReports } from '../reports.ts';
import { run } from '../run.ts';
import { statusOf } from '../status.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';

type Options = { readonly configFile: string; readonly json: boolean };
type Command = (options: Options) => Promise<number>;

function print({ json }: Options, value: object, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}

function warnOfRecovery(recoveredFrom: string | null): void {
  if (recoveredFrom === null) return;
  process.stderr.write(
    `journal-corrupt: the journal was damaged and put aside as ${recoveredFrom}; going on from the entry before it\n`,
  );
}

const progressWidth = 30;

/** A bar on the terminal; nothing where nobody looks. */
function progressBar({ json }: Options) {
  if (json || !process.stderr.isTTY) return undefined;
  return (written: number, total: number) => {
    const done = Math.round((written / total) * progressWidth);
    const bar = '█'.repeat(done) + '░'.repeat(progressWidth - done);
    process.stderr.write(
      `\r${bar} ${Math.round((100 * written) / total)} % of ${total} bytes${written >= total ? '\n' : ''}`,
    );
  };
}

function describe(result: InstallResult): string {
  if ('message' in result) return `${result.outcome}: ${result.message} [${result.code}]`;
  return result.outcome === 'installed'
    ? `installed: ${result.version} runs and is confirmed`
    : `on trial: ${result.version} runs; \`firmproof-agent confirm\` makes it stay`;
}

/** The result without what only the library needs. */
function summary(result: InstallResult): object {
  if (!('message' in result) || result.outcome === 'rolled-back') return result;
  const { outcome, code, message } = result;
  return { outcome, code, message };
}

export const commands = {
  async check(options) {
    const agent = await openAgent(readConfig(options.configFile));
    try {
      warnOfRecovery(agent.journal.recoveredFrom);
      const { verdict, server } = await check(agent);
      if (verdict.outcome === 'update') {
        const { version, image } = verdict.release;
        const { sizeBytes } = verdict.release.attestation.statement.predicate.image;
        const text = `update: ${version} is proven (${sizeBytes} bytes, sha-256 ${image})`;
        print(options, { outcome: verdict.outcome, version, image, sizeBytes, server }, text);
      } else {
        const { outcome, code, message } = verdict;
        print(options, { outcome, code, message, server }, `${outcome}: ${message} [${code}]`);
      }
      return exitCodeOf(verdict.outcome);
    } finally {
      agent.close();
    }
  },

  async install(options) {
    const agent = await openAgent(readConfig(options.configFile));
    try {
      warnOfRecovery(agent.journal.recoveredFrom);
      const result = await install(agent, progressBar(options));
      print(options, summary(result), describe(result));
      await sendReports(agent);
      return exitCodeOf(result.outcome);
    } finally {
      agent.close();
    }
  },

  async run(options) {
    const stopping = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
    const onProgress = progressBar(options);
    await run(readConfig(options.configFile), {
      signal: stopping.signal,
      onRound: ({ result, recoveredFrom, nextSeconds }) => {
        warnOfRecovery(recoveredFrom);
        const next = Math.round(nextSeconds);
        print(
          options,
          { ...summary(result), nextSeconds: next },
          `${describe(result)}; next in ${Math.ceil(next / 60)} min`,
        );
      },
      ...(onProgress && { onProgress }),
    });
    return exitCodes.done;
  },

  async status(options) {
    const status = await statusOf(await loadAgent(readConfig(options.configFile)));
    warnOfRecovery(status.recoveredFrom);
    const { installed, lastVerdict } = status;
    const lines = [
      ['device', status.device],
      ['product', status.product],
      ['channel', `${status.channel}, hardware ${status.hardware}`],
      ['installed', `${installed.version}${installed.image ? ` (sha-256 ${installed.image})` : ''}`],
      ['slot', status.slot ?? 'none: the factory image runs'],
      ['state', status.target ? `${status.state} ${status.target}` : status.state],
      ['rollback floor', String(status.rollbackFloor)],
      ['trust root', `version ${status.trustRootVersion}`],
      ['trusted time', status.trustedTime],
      [
        'proved',
        status.daysInSilence === 0 ? 'less than a day ago' : `${status.daysInSilence} days of device time ago`,
      ],
      ['last verdict', lastVerdict ? `${lastVerdict.outcome}: ${lastVerdict.message}` : 'none yet'],
    ];
    print(options, status, lines.map(([name, value]) => `${name?.padEnd(16)}${value}`).join('\n'));
    return exitCodes.done;
  },

  async confirm(options) {
    const agent = await openAgent(readConfig(options.configFile));
    try {
      const result = await confirm(agent);
      print(options, summary(result), describe(result));
      await sendReports(agent);
      return exitCodes.done;
    } finally {
      agent.close();
    }
  },
} satisfies Record<string, Command>;
