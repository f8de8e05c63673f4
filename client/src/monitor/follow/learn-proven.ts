import { isFirmproofError } from '@firmproof/protocol';
import { contradictionsOf } from '@firmproof/protocol/audit';
import type { Condition } from '../conditions.ts';
import type { FollowedProduct, LearntEvent } from './followed-product.ts';
import type { Walked } from './look-at-chain.ts';

/**
 * Takes what replays to what is proven into the model, which has to say then what storage says (V7). In memory only; where there
 * are contradictions, whoever calls forgets this object.
 */
export function learnProven(
  followed: FollowedProduct,
  { entries, proven }: Walked,
): { readonly learnt: readonly LearntEvent[]; readonly contradictions: readonly Condition[] } {
  let learnt: readonly LearntEvent[];
  try {
    learnt = followed.learn(entries);
  } catch (error) {
    if (isFirmproofError(error)) return { learnt: [], contradictions: [contradiction(error.message)] };
    throw error;
  }
  const differences = contradictionsOf(followed.history, proven, followed.watched);
  return { learnt, contradictions: differences.length === 0 ? [] : [contradiction(differences.join('; '))] };
}

const contradiction = (message: string): Condition => ({
  code: 'history-differs',
  severity: 'bad',
  subject: 'model',
  message: `the events replay to what is proven, but contradict each other or the storage: ${message}`,
  patienceSeconds: 0,
});
