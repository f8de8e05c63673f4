import { join } from 'node:path';
import {
  type Enrolment,
  enrolmentAnswerSchema,
  enrolmentTag,
  FirmproofError,
  parseJson,
  redactUrl,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import * as z from 'zod';
import type { Agent } from '../agent.ts';
import { readDataFile } from '../data-directory.ts';
import { postJson } from '../network/http.ts';
import { problemCode } from '../network/problem.ts';
import { makeDue } from '../receipts/queue.ts';
import { heldTrustRoot, serversOf } from '../trust.ts';

const timeoutSeconds = 30;
const maximumAnswerBytes = 65_536;

const stateSchema = z.enum(['enrolled', 'pending']);

const enrolmentsSchema = z.record(z.string(), z.object({ state: stateSchema, atSeconds: z.number() }));
/** What each server has answered last. */
export type Enrolments = z.infer<typeof enrolmentsSchema>;

const enrolmentFile = (dataDirectory: string) => join(dataDirectory, 'enrolment.json');

/** What the servers have said; nothing where that is damaged: enrolling again changes nothing. @throws FirmproofError `data-unreadable` */
export function enrolmentsOf({ config }: Pick<Agent, 'config'>): Enrolments {
  const text = readDataFile(enrolmentFile(config.dataDirectory));
  if (text === null) return {};
  try {
    return enrolmentsSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

/** What a server has said is remembered. When it returns, that is on disk. */
async function remember(agent: Pick<Agent, 'config'>, answers: Enrolments): Promise<void> {
  const enrolments = { ...enrolmentsOf(agent), ...answers };
  await writeFileAtomically(enrolmentFile(agent.config.dataDirectory), JSON.stringify(enrolments));
}

/** A server that takes a receipt has enrolled its device, perhaps long after it was asked. */
export async function noteTaken(agent: Pick<Agent, 'config' | 'clock'>, server: string): Promise<void> {
  if (enrolmentsOf(agent)[server]?.state === 'enrolled') return;
  await remember(agent, { [server]: { state: 'enrolled', atSeconds: agent.clock.nowSeconds() } });
}

/**
 * Asks each server to enrol this device, signed by its key. A claim token says whose it is; without one somebody has to
 * accept it. The receipts that wait for a server are due when it has answered, and there is one at least. Only this and receipts name the device: polling never does.
 * @throws FirmproofError `identity-cloned`, `enrolment-refused`, `unavailable` where no server has taken it
 */
export async function enrol(agent: Agent, claimToken?: string): Promise<Enrolments> {
  requireOwn(agent);
  let failure: unknown = new FirmproofError('unavailable', 'no server is configured');
  const answers: Enrolments = {};
  for (const server of serversOf(agent)) {
    try {
      answers[server] = { state: await ask(agent, server, claimToken), atSeconds: agent.clock.nowSeconds() };
    } catch (error) {
      if (!(error instanceof FirmproofError)) throw error;
      failure = error;
    }
  }
  if (Object.keys(answers).length === 0) throw failure;
  await remember(agent, answers);
  if (agent.config.receipts) await makeDue(agent.config.dataDirectory, Object.keys(answers), agent.clock.nowSeconds());
  return answers;
}

function requireOwn({ identity }: Agent): void {
  if (identity.cloned)
    throw new FirmproofError('identity-cloned', 'the identity of this device was made on another machine');
}

async function ask(agent: Agent, server: string, claimToken?: string): Promise<'enrolled' | 'pending'> {
  const { identity, config, clock } = agent;
  const request: Enrolment = {
    device: identity.id,
    publicKey: identity.key.publicKey,
    hardware: config.hardware,
    ...(claimToken !== undefined && { claimToken }),
  };
  const url = `${server}/v1/products/${heldTrustRoot(agent).product}/devices`;
  const body = JSON.stringify(request);
  const options = { tag: enrolmentTag, createdSeconds: clock.nowSeconds() };
  const { signMessage } = await import('@firmproof/protocol/node/message-signature');
  const answer = await postJson(url, body, timeoutSeconds, await signMessage(url, body, identity.key, options));
  if (answer === null || answer.status >= 500)
    throw new FirmproofError('unavailable', `${redactUrl(server)} does not answer, or cannot now`);
  if (answer.status === 200 || answer.status === 201 || answer.status === 202) {
    const parsing = { code: 'unavailable', maximumBytes: maximumAnswerBytes, what: 'the answer' } as const;
    return parseJson(answer.text, enrolmentAnswerSchema, parsing).state;
  }
  throw new FirmproofError(
    'enrolment-refused',
    `${redactUrl(server)} answers ${answer.status}${problemCode(answer.text)}`,
  );
}
