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
