import { aboutRows } from '../about-release.ts';
import { adviceOf } from '../advisories.ts';
import { viewAgent } from '../agent.ts';
import { readConfig } from '../config.ts';
import { type Status, statusOf } from '../status.ts';
import { type Command, print } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { explain } from './explain.ts';
import { fields } from './fields.ts';
import { warnOfDamage } from './warnings.ts';

function describeSource({ source, penalty, lastFailure, certificateProblem }: Status['sources'][number]): string {
  const standing = penalty === 0 ? 'in order' : `put back (${penalty.toFixed(1)})`;
  const failure = lastFailure ? `; ${lastFailure.at} ${lastFailure.message} [${lastFailure.code}]` : '';
  const certificate = certificateProblem ? `; certificate: ${certificateProblem} [certificate-invalid]` : '';
  return `${source} ${standing}${failure}${certificate}`;
}

/** Nobody knows here whether `run` is alive: it holds nothing between its rounds. */
function nextCheckText({ nextCheck, trustedTime }: Status): string {
  if (nextCheck === null) return 'when `run` starts';
  return nextCheck < trustedTime
    ? `was planned for ${nextCheck}: see whether \`run\` is alive`
    : `planned for ${nextCheck}, if \`run\` is alive`;
}

/** One screen: first why it runs what it runs, then the rest. */
export function describeStatus(status: Status): string {
  const { why, installed, receipts, hold } = status;
  const standing = Object.entries(status.enrolments).map(([server, state]) => `${state} at ${server}`);
  const lines: [string, string | null][] = [
    ['runs', `${installed.version}${installed.image ? ` (sha-256 ${installed.image})` : ''}`],
    ...aboutRows(installed.about),
    ...status.advisories.map((notice): [string, string] => ['advisory', adviceOf(notice, 'what is installed')]),
    ['why', `${why.outcome}: ${why.message}${why.code ? ` [${why.code}]` : ''}`],
    ['since', why.since],
    ['what to do', why.remedy],
    ['checked', status.lastSuccessfulCheck ?? 'never with success'],
    ['next check', nextCheckText(status)],
    ['held', hold && `${hold.updates} updates since ${hold.since}${hold.until ? ` until ${hold.until}` : ''}`],
    ['postponed', status.postponedUntil && `until ${status.postponedUntil}`],
    ...status.failed.map(({ version, image, reason, code }): [string, string] => [
      'failed here',
      `${version ?? image}: ${reason} [${code}]`,
    ]),
    ['state', status.target ? `${status.state} ${status.target}` : status.state],
    ...aboutRows(status.targetAbout ?? undefined).map(([name, value]): [string, string | null] => [`  ${name}`, value]),
    ['slot', `${status.slot ?? 'none: the factory image runs'} (${status.installer})`],
    ['channel', `${status.channel}, hardware ${status.hardware}`],
    ['product', status.product],
    ['trust root', `version ${status.trustRootVersion}, rollback floor ${status.rollbackFloor}`],
    ['trusted time', status.trustedTime],
    [
      'device',
      `${status.device ?? 'none yet: the first start makes id and key'}${standing.length > 0 ? `, ${standing.join(', ')}` : ''}`,
    ],
    ['key digest', status.keyDigest && `${status.keyDigest}${status.cloned ? ' [identity-cloned]' : ''}`],
    ['receipts', `${receipts.waiting} waiting, last sent ${receipts.lastSent ?? 'never'}`],
    ...receipts.problems.map((problem): [string, string] => ['', problem]),
    ...status.sources.map((source): [string, string] => ['source', describeSource(source)]),
  ];
  return fields(lines.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])));
}

export const statusCommands = {
  status: {
    async run(options) {
      const status = await statusOf(viewAgent(readConfig(options.configFile)));
      warnOfDamage(status.recoveredFrom);
      print(options, status, describeStatus(status));
      return exitCodes.done;
    },
  },

  doctor: {
    async run(options) {
      const { examine } = await import('../doctor.ts');
      const findings = await examine(options.configFile);
      const text = findings.map(({ subject, result, message, code, remedy }) => {
        const line = `${result.padEnd(5)}${subject.padEnd(10)}${message}${code ? ` [${code}]` : ''}`;
        return remedy === undefined ? line : `${line}\n${' '.repeat(15)}${remedy}`;
      });
      print(options, { findings }, text.join('\n'));
      return findings.some(({ result }) => result === 'fail') ? exitCodes.unwell : exitCodes.done;
    },
  },

  explain: {
    words: 1,
    async run({ words: [code], json }) {
      process.stdout.write(`${explain(code, json)}\n`);
      return exitCodes.done;
    },
  },
} satisfies Record<string, Command>;
