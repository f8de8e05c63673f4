import { FirmproofError, isFirmproofError } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import type { Failure, JournalEntry } from '../journal.ts';
import { recordOutcome } from '../receipts/outcomes.ts';
import { reboot } from './boot.ts';
import { fellBack, resultOf } from './failure.ts';
import { refusal } from './result.ts';
import { type Effect, targetOf } from './step.ts';

/** Nothing is under way any more. */
export const settled = { target: null, trialDeadlineSeconds: null, trialBoot: null, failure: null } as const;

/** D14: the boot loader keeps the image; only then does the floor rise. */
export const confirmed: Effect<'confirmed'> = async ({ agent }) => {
  const { installer, journal } = agent;
  const target = targetOf(agent);
  if ((await installer.running()) !== target.slot) return { event: 'fell-back', change: fellBack(agent) };
  await installer.confirm(target.slot);
  const { version, image, rollbackIndex, about } = target;
  const outcomes = recordOutcome(agent, target, 'confirmed');
  const change: Partial<JournalEntry> = {
    ...settled,
    installed: { version, image, ...(about && { about }) },
    rollbackFloor: Math.max(journal.entry.rollbackFloor, rollbackIndex),
    lastVerdict: refusal('already-installed', `${version} runs and is confirmed`),
    outcomes,
  };
  return { event: 'kept', change, result: { outcome: 'installed', version } };
};

/** The image before runs again, at once or from the next boot on. */
export const rollingBack: Effect<'rolling-back'> = async ({ agent }) => {
  const { previousSlot, version } = targetOf(agent);
  const failure = failureIn(agent);
  const { code, message } = failure;
  try {
    const activation = await agent.installer.rollBack(previousSlot);
    if (activation === 'running') return { event: 'back' };
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    if (error.code !== 'rollback-unavailable') throw stuck(version, failure, error);
    const stranded: Failure = { ...failure, code: error.code, message: `${message} [${code}]; ${error.message}` };
    return { event: 'no-way-back', change: { failure: stranded } };
  }
  await reboot(agent);
  return {
    rests: { outcome: 'rolled-back', version, code, message: `${version} ends with the next boot: ${message}` },
  };
};

/** Both are to be known: why the image goes, and why it does not. */
const stuck = (version: string, { code, message }: Failure, cause: FirmproofError) =>
  new FirmproofError(
    'rollback-failed',
    `${version} goes: ${message} [${code}]; but the way back failed: ${cause.message} [${cause.code}]`,
    { cause },
  );

/** Why it failed, for people (`lastVerdict`) and for receipts. */
export const failed: Effect<'failed'> = async ({ agent }) => {
  const target = targetOf(agent);
  const failure = failureIn(agent);
  const result = resultOf(failure, target);
  const { outcome, code, message } = { code: failure.code, message: failure.message, ...result };
  const outcomes = recordOutcome(agent, target, outcome === 'rolled-back' ? 'rolled-back' : 'failed', code);
  return { event: 'recorded', change: { ...settled, lastVerdict: { outcome, code, message }, outcomes }, result };
};

/** Journals of older agents tell the reason only among the versions that have failed. */
function failureIn({ journal }: Pick<Agent, 'journal'>): Failure {
  const { failure, failed: before } = journal.entry;
  const last = before.at(-1);
  const reason = { code: last?.code ?? 'health-check-failed', message: last?.reason ?? 'it was interrupted' } as const;
  return failure ?? { ...reason, wasActivated: true };
}
