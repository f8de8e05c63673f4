import { type Receipt, receiptTag, redactUrl } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import { noteTaken } from '../identity/enrolment.ts';
import { type PostAnswer, postJson } from '../network/http.ts';
import { problemCode } from '../network/problem.ts';
import { serversOf } from '../trust.ts';
import { takeReceipts } from './make.ts';
import { type ReceiptQueue, type ServerProgress, writeQueue } from './queue.ts';

const timeoutSeconds = 10;
const firstRetrySeconds = 300;
const longestRetrySeconds = 86_400;

const newServer: ServerProgress = {
  doneCounter: 0,
  failures: 0,
  retryAtSeconds: 0,
  lastSentSeconds: null,
  lastProblem: null,
};

/** taken: it has it. refused: it will never take this one. later: nobody there, busy, or the device not enrolled yet. */
export type Reception = 'taken' | 'refused' | 'later';

const statusesForLater = new Set([401, 403, 404, 405, 408, 425, 429]);

/** Q3. What an answer means for a receipt; null is no answer. No redirect is followed: it goes to the server named, or waits. */
export function receptionOf(status: number | null): Reception {
  if (status === null || status >= 500 || status < 200) return 'later';
  if (status < 300) return 'taken';
  return status < 400 || statusesForLater.has(status) ? 'later' : 'refused';
}

/** 5 minutes, then twice as long each time, up to a day, ± 50 %. */
export function retrySeconds(failures: number, random: number): number {
  return Math.min(longestRetrySeconds, firstRetrySeconds * 2 ** Math.min(failures - 1, 20)) * (0.5 + random);
}

/**
 * Makes receipts of what has happened, and sends what waits, the oldest first, to each server (docs/spec/device.md D16).
 * Whatever goes wrong is left for the next time: a receipt never holds up an update, and never makes one fail.
 * @returns what went wrong beside the network, in words; null when nothing did
 */
export async function sendReceipts(agent: Agent): Promise<string | null> {
  if (!agent.config.receipts) return null;
  try {
    let queue = await takeReceipts(agent);
    for (const server of serversOf(agent)) queue = await sendTo(agent, server, queue);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function sendTo(agent: Agent, server: string, before: ReceiptQueue): Promise<ReceiptQueue> {
  let queue = before;
  for (const receipt of before.waiting) {
    const progress = queue.servers[server] ?? newServer;
    const now = agent.clock.nowSeconds();
    // Time starts again with a new trust root: a retry is never further off than it can be.
    const waits = progress.retryAtSeconds > now && progress.retryAtSeconds <= now + 2 * longestRetrySeconds;
    if (receipt.counter <= progress.doneCounter) continue;
    if (waits) break;
    const answer = await post(agent, server, receipt);
    const reception = receptionOf(answer?.status ?? null);
    queue = settle(agent, queue, server, next(progress, receipt, reception, answer, now));
    await writeQueue(agent.config.dataDirectory, queue);
    if (reception === 'taken') await noteTaken(agent, server);
    if (reception === 'later') break;
  }
  return queue;
}

function next(
  progress: ServerProgress,
  { counter }: Receipt,
  reception: Reception,
  answer: PostAnswer | null,
  nowSeconds: number,
): ServerProgress {
  const problem = answer === null ? 'does not answer' : `answers ${answer.status}${problemCode(answer.text)}`;
  switch (reception) {
    case 'taken':
      return { doneCounter: counter, failures: 0, retryAtSeconds: 0, lastSentSeconds: nowSeconds, lastProblem: null };
    case 'refused':
      return { ...progress, doneCounter: counter, failures: 0, retryAtSeconds: 0, lastProblem: problem };
    case 'later': {
      const failures = progress.failures + 1;
      const retryAtSeconds = nowSeconds + retrySeconds(failures, Math.random());
      return { ...progress, failures, retryAtSeconds, lastProblem: problem };
    }
  }
}

/** What every server is done with waits no longer; servers that are asked no more are forgotten. */
function settle(agent: Agent, queue: ReceiptQueue, server: string, progress: ServerProgress): ReceiptQueue {
  const known = { ...queue.servers, [server]: progress };
  const current = serversOf(agent);
  const servers = Object.fromEntries(current.flatMap((one) => (known[one] ? [[one, known[one]] as const] : [])));
  const doneByAll = Math.min(...current.map((one) => servers[one]?.doneCounter ?? 0));
  return { ...queue, servers, waiting: queue.waiting.filter(({ counter }) => counter > doneByAll) };
}

async function post({ identity, clock }: Agent, server: string, receipt: Receipt): Promise<PostAnswer | null> {
  // Seldom needed: a check does without what signing takes of memory.
  const { signMessage } = await import('@firmproof/protocol/node/message-signature');
  const url = `${server}/v1/products/${receipt.product}/receipts`;
  const body = JSON.stringify(receipt);
  const options = { tag: receiptTag, createdSeconds: clock.nowSeconds() };
  return postJson(url, body, timeoutSeconds, await signMessage(url, body, identity.key, options));
}

/** For people: what each server has said, without credentials. */
export const problemsOf = (queue: ReceiptQueue): readonly string[] =>
  Object.entries(queue.servers).flatMap(([server, { lastProblem }]) =>
    lastProblem === null ? [] : [`${redactUrl(server)} ${lastProblem}`],
  );
