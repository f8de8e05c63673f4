import { existsSync, readdirSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { type ErrorCode, errorCatalogue, isFirmproofError, redactUrl } from '@firmproof/protocol';
import { type Agent, viewAgent } from './agent.ts';
import { askServer } from './check.ts';
import { isoTime } from './clock.ts';
import { type AgentConfig, readConfig } from './config.ts';
import { deviceKeyFile } from './identity/device-key.ts';
import { markOfMachine } from './identity/machine.ts';
import { nearestExisting, storageOf } from './identity/storage.ts';
import { choiceOf } from './policy/choice.ts';
import { timeText } from './policy/duration.ts';
import { isMetered } from './policy/metered.ts';
import { problemOf, programsOf } from './programs.ts';
import { readQueue } from './receipts/queue.ts';
import { problemsOf } from './receipts/send.ts';
import { heldTrustRoot, serversOf } from './trust.ts';

/** One line of `doctor`. */
export type Finding = {
  readonly subject: string;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly code?: ErrorCode;
  readonly remedy?: string;
};

const dayHours = 24;
const leastFreeBytes = 16 * 2 ** 20;
const mebibytes = (bytes: number) => `${Math.floor(bytes / 2 ** 20)} MiB`;

const ok = (subject: string, message: string): Finding => ({ subject, result: 'ok', message });
const warn = (subject: string, message: string, remedy: string): Finding => ({
  subject,
  result: 'warn',
  message,
  remedy,
});
const fail = (subject: string, message: string, remedy: string): Finding => ({
  subject,
  result: 'fail',
  message,
  remedy,
});

/**
 * Looks at everything that an update needs, and writes nothing.
 */
export async function examine(configFile: string): Promise<readonly Finding[]> {
  let config: AgentConfig;
  try {
    config = readConfig(configFile);
  } catch (error) {
    return [failure('config', error)];
  }
  const findings = [ok('config', `${configFile}: channel ${config.channel}, hardware ${config.hardware}`)];
  let agent: Agent;
  try {
    agent = viewAgent(config);
  } catch (error) {
    return [...findings, failure('data', error)];
  }
  return [
    ...findings,
    trust(agent),
    clock(agent),
    ...(await sources(agent)),
    ...programs(agent),
    ...(await slots(agent)),
    ...(await space(agent)),
    ...identity(agent),
    journal(agent),
    receipts(agent),
    ...(await choice(agent)),
  ];
}

function failure(subject: string, error: unknown): Finding {
  if (!isFirmproofError(error))
    return fail(subject, error instanceof Error ? error.message : String(error), 'See the message.');
  return { subject, result: 'fail', message: error.message, code: error.code, remedy: error.hint };
}

function trust(agent: Agent): Finding {
  const root = heldTrustRoot(agent);
  const { quorum, members } = root.witnesses;
  const about = `version ${root.version}, product ${root.product.slice(0, 10)}…, ${quorum} of ${members.length} witnesses`;
  return agent.journal.entry.trustRootGrounds === 'silence'
    ? warn('trust', `${about}; adopted on its signatures alone`, 'Make sure that the vendor made this trust root.')
    : ok('trust', about);
}

function clock(agent: Agent): Finding {
  const trusted = agent.clock.nowSeconds();
  const off = Math.round(Math.abs(Date.now() / 1000 - trusted) / 3600);
  const said = `trusted time ${timeText(trusted)}`;
  if (agent.journal.entry.lastProven === null)
    return warn('clock', `${said}, from the image: no block has been proved yet`, 'Run `firmproof-agent check`.');
  if (off < dayHours) return ok('clock', said);
  return warn(
    'clock',
    `${said}; the clock of the system is ${off} hours off, which stops nothing`,
    'Set the clock of the system, or wait for a check: trusted time follows what the witnesses vouch for.',
  );
}

async function sources(agent: Agent): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const server of serversOf(agent)) {
    const { verdict } = await askServer(agent, server, false);
    const name = redactUrl(server);
    const certificate = agent.sources.certificateProblems.get(server);
    if (verdict.outcome === 'update') findings.push(ok('source', `${name} proves ${verdict.release.version}`));
    else if (verdict.proven) findings.push(ok('source', `${name}: ${verdict.message} [${verdict.code}]`));
    else {
      const { code, message, outcome } = verdict;
      const { remedy } = errorCatalogue[code];
      findings.push({
        subject: 'source',
        result: outcome === 'refused' ? 'fail' : 'warn',
        message: `${name}: ${message}`,
        code,
        remedy,
      });
    }
    if (certificate !== undefined)
      findings.push({
        ...warn('source', `${name}: ${certificate}`, errorCatalogue['certificate-invalid'].remedy),
        code: 'certificate-invalid',
      });
  }
  // Where none proves anything, nothing can be updated.
  const works = findings.some(({ result }) => result === 'ok');
  return works ? findings : findings.map((finding) => ({ ...finding, result: 'fail' }));
}

/** Without hooks, health command, reboot or installer no update gets through; what asks whether a connection is metered only says no then. */
function programs({ config }: Agent): readonly Finding[] {
  const all = programsOf(config);
  const findings = all.flatMap((program) => {
    const problem = problemOf(program);
    if (problem === null) return [];
    const say = program.member === 'metered' ? warn : fail;
    const remedy = 'Install it where the configuration says, make it executable, or correct the configuration.';
    return [say('programs', `${program.member}: ${program.program} ${problem}`, remedy)];
  });
  const names = all.map(({ member }) => member).join(', ');
  return findings.length > 0
    ? findings
    : [ok('programs', all.length === 0 ? 'none is needed' : `all are there: ${names}`)];
}

async function slots({ installer, journal }: Agent): Promise<readonly Finding[]> {
  try {
    const running = await installer.running();
    const idle = await installer.idle();
    const about = `${installer.kind}: ${running === null ? 'the factory image' : `slot ${running}`} runs, slot ${idle} is idle`;
    const { state, target } = journal.entry;
    if (state !== 'idle')
      return [warn('slots', `${about}; ${target?.version ?? 'an update'} is ${state}`, 'Let it end, or confirm it.')];
    return [ok('slots', about)];
  } catch (error) {
    return [failure('slots', error)];
  }
}

async function space({ config }: Agent): Promise<readonly Finding[]> {
  const directories = new Map([['data', config.dataDirectory]]);
  if ('directory' in config.installer && existsSync(config.installer.directory))
    directories.set('images', config.installer.directory);
  return Promise.all(
    [...directories].map(async ([name, directory]) => {
      const { bavail, bsize } = await statfs(nearestExisting(directory));
      const free = bavail * bsize;
      // The idle slot is written over, so what it holds counts as free.
      const largest = name === 'images' ? largestFileBytes(directory) : 0;
      const about = `${name}: ${mebibytes(free)} free in ${directory}`;
      if (free < (largest > 0 ? 2 ** 20 : leastFreeBytes))
        return {
          ...fail('space', about, errorCatalogue['device-storage-full'].remedy),
          code: 'device-storage-full' as const,
        };
      return free + largest < 2 * largest
        ? warn('space', `${about}; an image as large as the one that runs may not fit`, 'Give the slots more room.')
        : ok('space', about);
    }),
  );
}

const largestFileBytes = (directory: string): number =>
  Math.max(
    0,
    ...readdirSync(directory).map((name) => statSync(`${directory}/${name}`, { throwIfNoEntry: false })?.size ?? 0),
  );

const othersMayRead = 0o077;
/** File systems that forget everything at the next boot. */
const volatileTypes = new Set(['tmpfs', 'ramfs']);

function identity({ identity: { id, key, cloned, isStored }, config }: Agent): readonly Finding[] {
  const file = deviceKeyFile(config.dataDirectory);
  const storage = storageOf(config.dataDirectory);
  const findings: Finding[] = [];
  if (cloned)
    findings.push({
      ...fail('identity', `${id} was made on another machine`, errorCatalogue['identity-cloned'].remedy),
      code: 'identity-cloned',
    });
  if (((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & othersMayRead) !== 0)
    findings.push(
      fail('identity', `others may read ${file}`, `Run \`chmod 600 ${file}\`; if it was copied, reset the identity.`),
    );
  if (existsSync(`${file}.damaged`))
    findings.push(
      warn(
        'identity',
        'a damaged key was put aside, and a new one made',
        'Enrol this device again; check the storage.',
      ),
    );
  if (storage && volatileTypes.has(storage.type))
    findings.push(
      warn(
        'identity',
        `${config.dataDirectory} is on ${storage.type}: each boot is a first boot`,
        'Set `dataDirectory` to a data partition that lasts.',
      ),
    );
  if (markOfMachine(config.identity.machineIdFile) === null)
    findings.push(
      warn(
        'identity',
        `${config.identity.machineIdFile} names no machine that lasts, so copies are not noticed`,
        'Set `identity.machineIdFile` to a file that differs between machines, as a serial number.',
      ),
    );
  return findings.length > 0
    ? findings
    : [ok('identity', isStored ? `${id}, ${key.algorithm}` : 'none yet: the first start makes id and key')];
}

function journal({ journal: { recoveredFrom, entry } }: Agent): Finding {
  return recoveredFrom === null
    ? ok('journal', `${entry.installed.version} runs, floor ${entry.rollbackFloor}`)
    : {
        ...warn('journal', `${recoveredFrom} is damaged`, errorCatalogue['journal-corrupt'].remedy),
        code: 'journal-corrupt',
      };
}

function receipts({ config, clock: time }: Agent): Finding {
  if (!config.receipts) return ok('receipts', 'turned off');
  const queue = readQueue(config.dataDirectory, time.nowSeconds());
  const problems = problemsOf(queue);
  const about = `${queue.waiting.length} waiting`;
  return problems.length === 0
    ? ok('receipts', about)
    : warn(
        'receipts',
        `${about}; ${problems.join('; ')}`,
        'They are sent again by themselves; see `firmproof-agent identity enrol`.',
      );
}

/** What people have chosen is no fault, and the first thing to know. */
async function choice(agent: Agent): Promise<readonly Finding[]> {
  const { hold, postponed } = choiceOf(agent);
  const { metered, updates } = agent.config;
  const findings: Finding[] = [];
  if (hold)
    findings.push(
      codeFinding(
        'update-held',
        `${hold.updates === 'all' ? 'all' : 'feature'} updates are held since ${isoTime(hold.sinceSeconds)}`,
      ),
    );
  if (postponed)
    findings.push(codeFinding('update-postponed', `updates are postponed until ${timeText(postponed.untilSeconds)}`));
  if (metered && (await isMetered(metered)))
    findings.push(codeFinding('connection-metered', 'the connection is metered'));
  if (updates.security !== 'automatic')
    findings.push(codeFinding('update-not-automatic', `security updates: ${updates.security}`));
  return findings.length > 0 ? findings : [ok('choice', 'nothing is held or postponed')];
}

const codeFinding = (code: ErrorCode, message: string): Finding => ({
  ...warn('choice', message, errorCatalogue[code].remedy),
  code,
});
