import { FirmproofError, redactUrl, type Verdict } from '@firmproof/protocol';
import { aboutRelease, aboutRows } from '../about-release.ts';
import { adviceOf, advisoriesAbout } from '../advisories.ts';
import { type Agent, openAgent } from '../agent.ts';
import { check } from '../check.ts';
import { isoTime } from '../clock.ts';
import { readConfig } from '../config.ts';
import { confirm, install } from '../machine/engine.ts';
import type { InstallResult } from '../machine/result.ts';
import type { InstallOptions } from '../machine/step.ts';
import { installFromFile } from '../offline/install-from-file.ts';
import { endPostponement } from '../policy/choice.ts';
import { sendReceipts } from '../receipts/send.ts';
import { run } from '../run.ts';
import { type Command, type Options, print } from './command.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { fields } from './fields.ts';
import { type LogEvent, logLine, type Priority, priorityOf } from './log.ts';
import { certificateTexts, recoveryText, warnOfCertificates, warnOfReceipts, warnOfRecovery } from './warnings.ts';

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
  switch (result.outcome) {
    case 'installed':
      return `installed: ${result.version} runs and is confirmed`;
    case 'on-trial':
      return `on trial: ${result.version} runs; \`firmproof-agent confirm\` makes it stay`;
    case 'reboot-needed':
      return `reboot needed: ${result.version} is verified, and the next boot starts it on trial`;
  }
}

/** The result without what only the library needs. */
function summary(result: InstallResult): object {
  if (!('message' in result) || result.outcome === 'rolled-back') return result;
  const { outcome, code, message } = result;
  return { outcome, code, message };
}

const isUnderWay = ({ outcome }: InstallResult) =>
  outcome === 'installed' || outcome === 'on-trial' || outcome === 'reboot-needed';

/** From the servers, or from the file that was named. */
function installFrom(agent: Agent, { words, flags }: Options, more: Pick<InstallOptions, 'onProgress'>) {
  const [file] = words;
  const acceptOldBlock = flags['accept-old-block'] ?? false;
  if (file !== undefined) return installFromFile(agent, file, { ...more, acceptOldBlock });
  if (acceptOldBlock) {
    throw new FirmproofError('usage-invalid', '--accept-old-block is for a file: servers have newer blocks', {
      hint: 'Name the file: firmproof-agent install FILE --accept-old-block',
    });
  }
  return install(agent, { ...more, askedForNow: flags.now ?? false });
}

/** What is known about the version that runs and about the one that is offered; lines for people after the verdict. */
async function advisoriesOf(agent: Agent, verdict: Verdict) {
  const installed = await advisoriesAbout(agent, agent.journal.entry.installed.version);
  const offered = verdict.outcome === 'update' ? await advisoriesAbout(agent, verdict.release.version) : [];
  const lines = [
    ...installed.map((notice) => adviceOf(notice, 'what is installed')),
    ...offered.map((notice) => adviceOf(notice, 'what is offered')),
  ];
  return {
    advisories: [...installed, ...offered],
    advice: lines.map((line) => `\nadvisory ${line}`).join(''),
  };
}

export const updateCommands = {
  check: {
    async run(options) {
      const agent = await openAgent(readConfig(options.configFile));
      try {
        warnOfRecovery(agent.journal.recoveredFrom);
        const { verdict, server } = await check(agent);
        warnOfCertificates(agent.sources.certificateProblems);
        const from = server && redactUrl(server);
        const { advisories, advice } = await advisoriesOf(agent, verdict);
        if (verdict.outcome === 'update') {
          const { version, image } = verdict.release;
          const { predicate } = verdict.release.attestation.statement;
          const { sizeBytes } = predicate.image;
          const about = aboutRelease(predicate);
          const rows = aboutRows(about).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
          const text = `update: ${version} is proven (${sizeBytes} bytes, sha-256 ${image})`;
          const result = { outcome: verdict.outcome, version, image, sizeBytes, about, server: from, advisories };
          print(options, result, `${rows.length > 0 ? `${text}\n${fields(rows)}` : text}${advice}`);
        } else {
          const { outcome, code, message } = verdict;
          print(
            options,
            { outcome, code, message, server: from, advisories },
            `${outcome}: ${message} [${code}]${advice}`,
          );
        }
        return exitCodeOf(verdict.outcome);
      } finally {
        agent.close();
      }
    },
  },

  install: {
    words: 1,
    flags: ['now', 'accept-old-block'],
    async run(options) {
      const agent = await openAgent(readConfig(options.configFile));
      try {
        warnOfRecovery(agent.journal.recoveredFrom);
        const onProgress = progressBar(options);
        const result = await installFrom(agent, options, onProgress ? { onProgress } : {});
        warnOfCertificates(agent.sources.certificateProblems);
        const { now } = options.flags;
        if ((now || options.words.length > 0) && isUnderWay(result)) await endPostponement(agent);
        print(options, summary(result), describe(result));
        if (options.words.length === 0) warnOfReceipts(await sendReceipts(agent));
        return exitCodeOf(result.outcome);
      } finally {
        agent.close();
      }
    },
  },

  run: {
    async run(options) {
      const stopping = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
      const onProgress = progressBar(options);
      const isLog = options.json || !process.stdout.isTTY;
      const toJournal = !options.json && options.toJournal;
      const say = (priority: Priority, event: LogEvent, text = event.message) =>
        process.stdout.write(isLog ? logLine(priority, event, toJournal) : `${text}\n`);
      await run(readConfig(options.configFile), {
        signal: stopping.signal,
        onRound: ({ result, recoveredFrom, certificateProblems, nextSeconds }) => {
          if (recoveredFrom !== null)
            say('warning', { event: 'journal-recovered', message: recoveryText(recoveredFrom) });
          for (const message of certificateTexts(certificateProblems)) say('notice', { event: 'certificate', message });
          const next = Math.round(nextSeconds);
          const message = describe(result);
          const text = `${message}; next in ${Math.ceil(next / 60)} min`;
          say(priorityOf(result), { event: 'round', ...summary(result), message, nextSeconds: next }, text);
        },
        onWait: ({ dueSeconds, seconds }) => {
          const minutes = Math.ceil(seconds / 60);
          const message = `next check at ${isoTime(dueSeconds)} of trusted time, in ${minutes} min`;
          say('info', { event: 'waiting', message, nextSeconds: Math.round(seconds) });
        },
        onReceiptProblem: (problem) => say('notice', { event: 'receipts', message: problem }),
        ...(onProgress && { onProgress }),
      });
      return exitCodes.done;
    },
  },

  confirm: {
    async run(options) {
      const agent = await openAgent(readConfig(options.configFile));
      try {
        const result = await confirm(agent);
        print(options, summary(result), describe(result));
        warnOfReceipts(await sendReceipts(agent));
        return exitCodes.done;
      } finally {
        agent.close();
      }
    },
  },
} satisfies Record<string, Command>;
