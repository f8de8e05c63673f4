import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Receipt, receiptSchema } from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import * as z from 'zod';
import { readDataFile } from '../data-directory.ts';

export const maximumWaiting = 32;

const serverSchema = z.object({
  /** Every receipt up to this counter was taken by the server, or refused for good. */
  doneCounter: z.int(),
  failures: z.int().min(0),
  retryAtSeconds: z.number(),
  lastSentSeconds: z.number().nullable(),
  lastProblem: z.string().nullable(),
});
export type ServerProgress = z.infer<typeof serverSchema>;

const queueSchema = z.object({
  /** The last counter that was given to a receipt. It is on disk before the receipt leaves the device. */
  counter: z.int().min(0),
  /** The number of the last outcome of the journal that has become a receipt. */
  outcomesTaken: z.int().min(0),
  heartbeatDueSeconds: z.number(),
  waiting: z.array(receiptSchema).max(maximumWaiting),
  servers: z.record(z.string(), serverSchema),
});

/** The receipts of this device that not every server has yet. */
export type ReceiptQueue = z.infer<typeof queueSchema>;

const queueFile = (dataDirectory: string): string => join(dataDirectory, 'receipts.json');

export const emptyQueue: ReceiptQueue = {
  counter: 0,
  outcomesTaken: 0,
  heartbeatDueSeconds: 0,
  waiting: [],
  servers: {},
};

/**
 * Reads the queue, only to look. A damaged one counts on from the trusted time in seconds, which no counter can have reached
 * by ones: a counter is never used again (Q1).
 * @throws FirmproofError `data-unreadable`
 */
export function readQueue(dataDirectory: string, nowSeconds: number): ReceiptQueue {
  const text = readDataFile(queueFile(dataDirectory));
  if (text === null) return emptyQueue;
  try {
    return queueSchema.parse(JSON.parse(text));
  } catch {
    return { ...emptyQueue, counter: Math.floor(nowSeconds) };
  }
}

/** When it returns, the queue is on disk. A damaged one before it is kept beside. */
export async function writeQueue(dataDirectory: string, queue: ReceiptQueue): Promise<void> {
  const file = queueFile(dataDirectory);
  const before = readDataFile(file);
  if (before !== null && !isQueue(before)) renameSync(file, `${file}.damaged`);
  await writeFileAtomically(file, JSON.stringify(queueSchema.parse(queue)));
}

/**
 * Servers that have just been asked to enrol this device are told what waits, whatever they answered before; one that has never
 * taken anything gets a heartbeat. When it returns, that is on disk.
 */
export async function makeDue(dataDirectory: string, servers: readonly string[], nowSeconds: number): Promise<void> {
  const queue = readQueue(dataDirectory, nowSeconds);
  const known = servers.flatMap((server) => {
    const progress = queue.servers[server];
    return progress ? [[server, { ...progress, failures: 0, retryAtSeconds: 0, lastProblem: null }] as const] : [];
  });
  const isNews = servers.some((server) => (queue.servers[server]?.lastSentSeconds ?? null) === null);
  const heartbeatDueSeconds = isNews && queue.waiting.length === 0 ? nowSeconds : queue.heartbeatDueSeconds;
  await writeQueue(dataDirectory, {
    ...queue,
    heartbeatDueSeconds,
    servers: { ...queue.servers, ...Object.fromEntries(known) },
  });
}

function isQueue(text: string): boolean {
  try {
    return queueSchema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/** One more receipt, with the next counter. Where there is no room the oldest heartbeat goes, then the oldest outcome. */
export function enqueue(queue: ReceiptQueue, receipt: Omit<Receipt, 'counter'>): ReceiptQueue {
  const counter = queue.counter + 1;
  const waiting = [...queue.waiting, { ...receipt, counter }];
  if (waiting.length > maximumWaiting) {
    const oldestHeartbeat = waiting.findIndex(({ kind }) => kind === 'heartbeat');
    waiting.splice(Math.max(0, oldestHeartbeat), 1);
  }
  return { ...queue, counter, waiting };
}
