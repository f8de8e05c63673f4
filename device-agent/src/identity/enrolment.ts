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

/**
 * Asks each server to enrol this device, signed by its key. A claim token says whose it is; without one somebody has to
 * accept it. Only this and receipts name the device: polling never does.
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
  const enrolments = { ...enrolmentsOf(agent), ...answers };
  await writeFileAtomically(enrolmentFile(agent.config.dataDirectory), JSON.stringify(enrolments));
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
