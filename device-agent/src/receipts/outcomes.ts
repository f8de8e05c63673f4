import { receiptSchema } from '@firmproof/protocol';
import * as z from 'zod';
import type { Agent } from '../agent.ts';
import type { InstallTarget } from '../journal.ts';

const maximumOutcomes = 8;

const outcomeSchema = receiptSchema.shape.outcome.unwrap();
type Outcome = z.infer<typeof outcomeSchema>;

/**
 * What became of releases here, in the journal: written in the same entry as the outcome itself, so that a power cut
 * neither loses nor doubles it. They are numbered, and whoever tells of them remembers how far it came.
 */
export const outcomesSchema = z.object({
  count: z.int(),
  recent: z.array(z.object({ number: z.int(), timeSeconds: z.number(), outcome: outcomeSchema })).max(maximumOutcomes),
  /** The failure that was recorded last: the same one again is not told again. */
  lastFailure: z.string().nullable(),
});
export type Outcomes = z.infer<typeof outcomesSchema>;

export const noOutcomes: Outcomes = { count: 0, recent: [], lastFailure: null };

/** The outcomes with one more, for the entry of the journal that ends an update (docs/spec/device.md D16, Q2). */
export function recordOutcome(
  { config, journal, clock }: Pick<Agent, 'config' | 'journal' | 'clock'>,
  { version, image, headCounter }: Pick<InstallTarget, 'version' | 'image' | 'headCounter'>,
  result: Outcome['result'],
  code?: string,
): Outcomes {
  const { outcomes, installed: before } = journal.entry;
  const failure = result === 'failed' ? `${image} ${headCounter} ${code}` : null;
  if (!config.receipts || (failure !== null && failure === outcomes.lastFailure)) return outcomes;
  const number = outcomes.count + 1;
  const outcome = { result, version, image, before, ...(code !== undefined && { code }) };
  return {
    count: number,
    recent: [...outcomes.recent, { number, timeSeconds: clock.nowSeconds(), outcome }].slice(-maximumOutcomes),
    lastFailure: failure ?? outcomes.lastFailure,
  };
}
