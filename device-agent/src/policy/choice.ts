import { join } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import * as z from 'zod';
import type { Agent } from '../agent.ts';
import { readDataFile, requireOwnDirectory } from '../data-directory.ts';
import { timeText } from './duration.ts';

const choiceSchema = z.object({
  hold: z
    .object({
      sinceSeconds: z.number(),
      /** null: until it is released. */
      untilSeconds: z.number().nullable(),
      updates: z.enum(['all', 'feature']),
    })
    .nullable(),
  postponed: z.object({ sinceSeconds: z.number(), untilSeconds: z.number() }).nullable(),
});

/** What people have told this device about its updates. Times are of the trusted clock. */
export type Choice = z.infer<typeof choiceSchema>;

const noChoice: Choice = { hold: null, postponed: null };

/** Apart from the journal, so that people can choose while an update is on its way. */
const choiceFile = (dataDirectory: string): string => join(dataDirectory, 'choice.json');

type Chooser = Pick<Agent, 'config' | 'clock' | 'journal'>;

/**
 * What holds now: a hold or a postponement whose time has come is none, and so is one that is damaged.
 * @throws FirmproofError `data-unreadable`: a hold that cannot be read may be one
 */
export function choiceOf({ config, clock }: Pick<Agent, 'config' | 'clock'>): Choice {
  const { hold, postponed } = readChoice(config.dataDirectory);
  const now = clock.nowSeconds();
  return {
    hold: hold !== null && (hold.untilSeconds ?? now + 1) > now ? hold : null,
    postponed: postponed !== null && postponed.untilSeconds > now ? postponed : null,
  };
}

function readChoice(dataDirectory: string): Choice {
  const text = readDataFile(choiceFile(dataDirectory));
  if (text === null) return noChoice;
  try {
    return choiceSchema.parse(JSON.parse(text));
  } catch {
    return noChoice;
  }
}

async function choose({ config }: Chooser, change: Partial<Choice>): Promise<void> {
  requireOwnDirectory(config.dataDirectory);
  makeDirectory(config.dataDirectory, 0o700);
  const choice = { ...readChoice(config.dataDirectory), ...change };
  await writeFileAtomically(choiceFile(config.dataDirectory), JSON.stringify(choice));
}

/** Holds all updates, or all but security updates. @throws FirmproofError `usage-invalid` for a time that has passed */
export async function hold(
  agent: Chooser,
  { untilSeconds, updates }: Pick<NonNullable<Choice['hold']>, 'untilSeconds' | 'updates'>,
): Promise<void> {
  const now = agent.clock.nowSeconds();
  if (untilSeconds !== null && untilSeconds <= now)
    throw new FirmproofError('usage-invalid', `${timeText(untilSeconds)} has passed: here it is ${timeText(now)}`);
  await choose(agent, { hold: { sinceSeconds: now, untilSeconds, updates } });
}

/** Updates go on: neither held nor postponed. */
export async function releaseHold(agent: Chooser): Promise<void> {
  await choose(agent, noChoice);
}

/** Somebody has asked for the update after all. */
export async function endPostponement(agent: Chooser): Promise<void> {
  if (choiceOf(agent).postponed !== null) await choose(agent, { postponed: null });
}

/**
 * Postpones updates; answers until when. While an update waits, its postponements add up.
 * @throws FirmproofError `postpone-too-long`
 */
export async function postpone(agent: Chooser, seconds: number): Promise<number> {
  const now = agent.clock.nowSeconds();
  const before = readChoice(agent.config.dataDirectory).postponed;
  const goesOn =
    before !== null && (before.untilSeconds > now || agent.journal.entry.standing?.code === 'update-postponed');
  const sinceSeconds = goesOn ? before.sinceSeconds : now;
  const untilSeconds = Math.floor(now + seconds);
  const latest = sinceSeconds + agent.config.maximumPostponeHours * 3600;
  if (untilSeconds > latest) {
    const most = latest > now ? `until ${timeText(latest)} at the latest` : 'no longer';
    throw new FirmproofError('postpone-too-long', `the updates of this device can be postponed ${most}`);
  }
  await choose(agent, { postponed: { sinceSeconds, untilSeconds } });
  return untilSeconds;
}
