import { FirmproofError } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import type { JournalEntry } from '../journal.ts';
import { checking, downloading, staged } from './acquire.ts';
import { failureOf } from './failure.ts';
import { explain, type InstallResult, type Refusal } from './result.ts';
import { confirmed, failed, rollingBack, settled } from './settle.ts';
import type { Effect, InstallOptions, Step, Work } from './step.ts';
import { type EventOf, isAbandoned, nextState, type State, type WorkingState } from './transitions.ts';
import { activating, trial } from './try-out.ts';

const effects: { readonly [S in WorkingState]: Effect<S> } = {
  checking,
  downloading,
  staged,
  activating,
  trial,
  confirmed,
  'rolling-back': rollingBack,
  failed,
};

/** What an effect comes to that something has thwarted. A state that rests is tried again in the next round. */
const thwarted: { readonly [S in WorkingState]: (problem: Refusal) => Step<S> } = {
  checking: (problem) => ({ event: 'nothing-to-do', change: { lastVerdict: problem }, result: problem }),
  downloading: (problem) => {
    if (problem.outcome === 'refused') return refused(problem);
    return { event: 'broke-off', change: { lastVerdict: problem }, result: problem };
  },
  staged: (problem) => refused(problem),
  activating: (problem) => refused(problem),
  trial: rests,
  confirmed: rests,
  'rolling-back': rests,
  failed: rests,
};

const refused = (problem: Refusal) =>
  ({ event: 'refused', change: { failure: failureOf(problem, { isActivated: false }) } }) as const;

function rests(problem: Refusal) {
  return { rests: problem };
}

/**
 * One round: finishes or undoes what was interrupted, or else checks, downloads into the idle slot, reads back, checks again,
 * activates, and confirms or rolls back. Each state is in the journal before anything is done for it, and what came of it
 * afterwards (docs/spec/device.md M2).
 */
export async function install(agent: Agent, options: InstallOptions = {}): Promise<InstallResult> {
  const work: Work = { agent, options, isConfirmed: false, found: null };
  try {
    const { state } = agent.journal.entry;
    if (isAbandoned(state)) await enter(agent, state, 'interrupted', {});
    if (agent.journal.entry.state === 'idle') await enter(agent, 'idle', 'check', {});
    return await drive(work);
  } catch (error) {
    // Where not even the journal can be written, the entry before holds, and the next round starts from it.
    return explain(error);
  }
}

/**
 * Somebody outside says that the image on trial is healthy: it stays, and the floor rises. One whose deadline has passed is
 * rolled back all the same.
 * @throws FirmproofError `nothing-to-confirm`
 */
export async function confirm(agent: Agent): Promise<InstallResult> {
  const { state, target } = agent.journal.entry;
  const runs = state === 'trial' && (await agent.installer.running()) === target?.slot;
  if (!runs) throw new FirmproofError('nothing-to-confirm', 'no image that runs is on trial');
  return drive({ agent, options: {}, isConfirmed: true, found: null });
}

/** Does what the state stands for, and then the next one's, until nothing is under way or something has to happen first. */
async function drive(work: Work): Promise<InstallResult> {
  for (;;) {
    const { state } = work.agent.journal.entry;
    if (state === 'idle') throw new Error('there is nothing to do in state idle');
    const result = await perform(work, state);
    if (result !== null) return result;
  }
}

/** One effect and the entry about it. Null when another state follows. */
async function perform<S extends WorkingState>(work: Work, state: S): Promise<InstallResult | null> {
  const { agent } = work;
  const effect: Effect<S> = effects[state];
  const step: Step<S> = await effect(work).catch((error: unknown) => thwarted[state](explain(error)));
  if ('rests' in step) {
    await remember(agent, step.rests);
    return step.rests;
  }
  const next = await enter(agent, state, step.event, step.change ?? {});
  if (next !== 'idle') return null;
  if (step.result === undefined) throw new Error(`${state} ends without a result`);
  return step.result;
}

/** Why it rests, for `status`. */
async function remember(agent: Agent, result: InstallResult): Promise<void> {
  if (!('code' in result)) return;
  const { outcome, code, message } = result;
  await agent.journal.write({ lastVerdict: { outcome, code, message }, time: agent.clock.snapshot() });
}

async function enter<S extends State>(
  { journal, clock }: Agent,
  state: S,
  event: EventOf<S>,
  change: Partial<JournalEntry>,
): Promise<State> {
  const next: State = nextState(state, event);
  await journal.write({ time: clock.snapshot(), ...(next === 'idle' && settled), ...change, state: next });
  // Once more, so that the entry before this one has them too: a damaged journal must neither forget what runs nor lower the floor.
  if (change.installed !== undefined) await journal.write({});
  return next;
}
