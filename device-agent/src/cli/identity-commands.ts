import { readFileSync } from 'node:fs';
import { FirmproofError, redactUrl } from '@firmproof/protocol';
import { type Agent, openAgent, viewAgent } from '../agent.ts';
import { isoTime } from '../clock.ts';
import { readConfig } from '../config.ts';
import { type Enrolments, enrol, enrolmentsOf } from '../identity/enrolment.ts';
import { reset } from '../identity/reset.ts';
import { sendReceipts } from '../receipts/send.ts';
import { type Command, type Options, print } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { fields } from './fields.ts';
import { warnOfReceipts } from './warnings.ts';

const listOf = (enrolments: Enrolments) =>
  Object.entries(enrolments).map(([server, { state, atSeconds }]) => ({
    server: redactUrl(server),
    state,
    at: isoTime(atSeconds),
  }));

function show(options: Options, agent: Agent): void {
  const { id, key, cloned } = agent.identity;
  const enrolments = listOf(enrolmentsOf(agent));
  print(
    options,
    { device: id, publicKey: key.publicKey, keyDigest: key.digest, algorithm: key.algorithm, cloned, enrolments },
    fields([
      ['device', id],
      ['public key', key.publicKey],
      ['key digest', key.digest],
      ['algorithm', key.algorithm],
      ['machine', cloned ? 'another one made this identity: see `explain identity-cloned`' : 'this one'],
      ...enrolments.map(({ server, state, at }) => [state, `${server} since ${at}`] as const),
    ]),
  );
}

/** Alone on the data directory, since it writes there. */
async function withAgent(options: Options, act: (agent: Agent) => Promise<void>): Promise<number> {
  const agent = await openAgent(readConfig(options.configFile));
  try {
    await act(agent);
  } finally {
    agent.close();
  }
  return exitCodes.done;
}

/** A factory asks devices that have never started: those are made to be somebody first. */
async function showOrMake(options: Options): Promise<number> {
  const agent = viewAgent(readConfig(options.configFile));
  if (!agent.identity.isStored) return withAgent(options, async (made) => show(options, made));
  show(options, agent);
  return exitCodes.done;
}

/** Others on the machine can read a command line. */
const fromInput = '-';

async function enrolAndSay(options: Options, agent: Agent): Promise<void> {
  const claimToken = options.flags['claim-token'];
  const answers = listOf(await enrol(agent, claimToken === fromInput ? readFileSync(0, 'utf8').trim() : claimToken));
  const text = answers
    .map(
      ({ server, state }) => `${state}: ${server}${state === 'pending' ? ' (somebody has to accept this device)' : ''}`,
    )
    .join('\n');
  print(options, { device: agent.identity.id, enrolments: answers }, text);
  // Before the first proof the device does not know the time, and what it signs looks too old.
  if (agent.journal.entry.lastProven !== null) warnOfReceipts(await sendReceipts(agent));
}

async function resetAndSay(options: Options, agent: Agent): Promise<void> {
  const kind = options.flags.factory ? 'factory' : 'new-owner';
  await reset(agent, kind);
  const said = {
    factory: 'all that this device has made and remembered is gone; the next start begins as at first boot',
    'new-owner':
      'id, key, receipts, enrolment and choices are gone; trust, floor and history stay; the next start makes a new id and key',
  };
  print(options, { reset: kind }, said[kind]);
}

export const identityCommands = {
  identity: {
    words: 1,
    flags: ['claim-token', 'factory', 'new-owner'],
    async run(options) {
      const { factory, 'new-owner': newOwner, 'claim-token': claimToken } = options.flags;
      const [verb] = options.words;
      const isReset = verb === 'reset';
      if (verb !== 'enrol' && claimToken !== undefined)
        throw new FirmproofError('usage-invalid', '--claim-token is for `identity enrol`');
      if (!isReset && (factory || newOwner))
        throw new FirmproofError('usage-invalid', '--factory and --new-owner are for `identity reset`');
      switch (verb) {
        case 'show':
          return showOrMake(options);
        case 'enrol':
          return withAgent(options, (agent) => enrolAndSay(options, agent));
        case 'reset':
          if (Boolean(factory) === Boolean(newOwner))
            throw new FirmproofError('usage-invalid', 'say `identity reset --factory` or `identity reset --new-owner`');
          return withAgent(options, (agent) => resetAndSay(options, agent));
        default:
          throw new FirmproofError('usage-invalid', 'say `identity show`, `identity enrol` or `identity reset`');
      }
    },
  },
} satisfies Record<string, Command>;
