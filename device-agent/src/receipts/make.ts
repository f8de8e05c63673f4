import type { Receipt } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import { heldTrustRoot } from '../trust.ts';
import { agentVersion } from '../version.ts';
import { emptyQueue, enqueue, type ReceiptQueue, readQueue, writeQueue } from './queue.ts';

const weekSeconds = 7 * 86_400;

/** Q4. A week, give or take a quarter: a fleet that was switched on at once must not speak at once. */
export const heartbeatSeconds = (random: number): number => weekSeconds * (0.75 + random / 2);

/**
 * Makes receipts of the journal's new outcomes, and a heartbeat where one is due. Their counters are on disk when this
 * returns. A copy of another device makes none: two would share one counter.
 */
export async function takeReceipts(agent: Agent): Promise<ReceiptQueue> {
  const { config, clock, journal, identity } = agent;
  const now = clock.nowSeconds();
  const before = readQueue(config.dataDirectory, now);
  if (identity.cloned) return emptyQueue;
  let queue = before;
  for (const { number, timeSeconds, outcome } of journal.entry.outcomes.recent) {
    if (number <= queue.outcomesTaken) continue;
    queue = enqueue(
      { ...queue, outcomesTaken: number },
      { ...receiptOf(agent, timeSeconds), kind: 'outcome', outcome },
    );
  }
  // The first heartbeat comes some time within the first week, or with the enrolment; one that a jump of time has put far off is set anew.
  const due = queue.heartbeatDueSeconds;
  if (due === 0 || due > now + 2 * weekSeconds)
    queue = { ...queue, heartbeatDueSeconds: now + weekSeconds * Math.random() };
  else if (due <= now) {
    queue = enqueue(queue, { ...receiptOf(agent, now), kind: 'heartbeat' });
    queue = { ...queue, heartbeatDueSeconds: now + heartbeatSeconds(Math.random()) };
  }
  if (queue !== before) await writeQueue(config.dataDirectory, queue);
  return queue;
}

function receiptOf(agent: Agent, timeSeconds: number): Omit<Receipt, 'counter' | 'kind' | 'outcome'> {
  const { installed, state, target, lastProven } = agent.journal.entry;
  const onTrial = state === 'trial' && target !== null;
  const { block, sequence, history } = lastProven ?? {};
  return {
    receiptVersion: 1,
    product: heldTrustRoot(agent).product,
    device: agent.identity.id,
    time: Math.floor(timeSeconds),
    running: onTrial ? { version: target.version, image: target.image } : installed,
    seen: block && sequence !== undefined && history ? { block, sequence, history } : null,
    agentVersion,
  };
}
