import type { Address } from '@firmproof/protocol';
import {
  type AccountEvent,
  accountEventOfLog,
  accountEventTopics,
  maximumAccountChanges,
} from '@firmproof/protocol/audit';
import { hexQuantity, RpcRefusal } from '@firmproof/protocol/node';
import { readLogs } from './block-entries.ts';
import type { RpcNode } from './rpc-node.ts';

/** Ranges that are asked for together. */
const atOnce = 16;
/** A provider that allows too little for a chain that is too long: then another node has to be asked. */
const maximumRequests = 20_000;
const shrink = 4;
/** Every change of an account brings one or two, an announcement another one: a node that shows more makes them up. */
const maximumEvents = 4 * maximumAccountChanges;

const topics = [
  [accountEventTopics['signers-set'], accountEventTopics['recovery-set'], accountEventTopics['recovery-scheduled']],
];

/**
 * The events of a vendor account that one node shows, newest first, from a block back to where `isEnough`. Nothing chains them, so
 * that they have to be searched: in one range where the node allows it, else in ranges as wide as it allows.
 * @throws FirmproofError `chain-unreachable`; RpcRefusal where the node gives no logs, or too few at a time
 */
export async function accountEventsBefore(
  node: RpcNode,
  account: Address,
  top: number,
  tries: number | undefined,
  isEnough: (events: readonly AccountEvent[]) => boolean,
): Promise<readonly AccountEvent[]> {
  const events: AccountEvent[] = [];
  let width = top + 1;
  let requests = 0;
  for (let to = top; to >= 0 && !isEnough(events); ) {
    const ranges = rangesBelow(to, width);
    requests += ranges.length;
    if (requests > maximumRequests) throw new RpcRefusal('it allows too small ranges of logs', undefined);
    const answers = await node.batch(
      ranges.map(([from, end]) => ({
        method: 'eth_getLogs',
        params: [{ address: account, topics, fromBlock: hexQuantity(from), toBlock: hexQuantity(end) }],
      })),
      tries,
    );
    for (const [index, answer] of answers.entries()) {
      if ('refusal' in answer) {
        if (width === 1) throw answer.refusal;
        width = Math.max(1, Math.floor(width / shrink));
        break;
      }
      // Within a block a log comes after those that are before it.
      const shown = readLogs(answer.result).map((log) => accountEventOfLog(log, account));
      events.push(...shown.filter((event) => event !== null).toReversed());
      if (events.length > maximumEvents) throw new RpcRefusal('it shows more events than any account has', undefined);
      to = (ranges[index]?.[0] ?? 0) - 1;
    }
  }
  return events;
}

function rangesBelow(top: number, width: number): readonly (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (let to = top; to >= 0 && ranges.length < atOnce; to -= width) ranges.push([Math.max(0, to - width + 1), to]);
  return ranges;
}
