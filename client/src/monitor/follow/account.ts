import { accountInterface } from '@firmproof/contracts';
import {
  type Address,
  type BlockStatement,
  bytes32Schema,
  isFirmproofError,
  parseJson,
  parseSigner,
  shortSigner,
  signerSchema,
  zeroBytes32,
} from '@firmproof/protocol';
import { hexQuantity } from '@firmproof/protocol/node';
import { z } from 'zod';
import type { RpcNode } from '../../audit/rpc-node.ts';
import type { Notice } from '../alert.ts';
import type { Condition } from '../conditions.ts';
import type { MonitorState } from '../state.ts';

const signerSetSchema = z.object({
  account: z.string(),
  epoch: z.int(),
  threshold: z.int(),
  signers: z.array(signerSchema),
  recoveryEpoch: z.int(),
  recoveryThreshold: z.int(),
  recoverySigners: z.array(signerSchema),
  /** A recovery that waits for its notice to end. */
  pending: z.object({ hash: bytes32Schema, recoverableFrom: z.int() }).nullable(),
});
/** The keys of a vendor account, as nodes show them at a block. */
export type SignerSet = z.infer<typeof signerSetSchema>;

const reads = [
  'signerEpoch',
  'threshold',
  'signers',
  'recoveryEpoch',
  'recoveryThreshold',
  'recoverySigners',
  'pendingRecovery',
] as const;

/**
 * Asks nodes for the signers of a publisher. Calls are not proven: enough nodes have to answer alike. null where they do not, and
 * for a publisher that is no vendor account.
 */
export async function lookAtAccount(
  account: Address,
  { number }: BlockStatement,
  nodes: readonly RpcNode[],
  quorum: number,
): Promise<SignerSet | null> {
  const calls = reads.map((name) => ({
    method: 'eth_call',
    params: [{ to: account, data: accountInterface.encodeFunctionData(name) }, hexQuantity(number)],
  }));
  const voices = new Map<string, number>();
  for (const node of nodes) {
    const answers = await node.batch(calls, 1).catch((error: unknown) => {
      if (isFirmproofError(error)) return [];
      throw error;
    });
    const results = answers.map((answer) =>
      'result' in answer && typeof answer.result === 'string' ? answer.result : '',
    );
    const key = JSON.stringify(results);
    const count = (voices.get(key) ?? 0) + 1;
    if (count >= quorum) return decode(account, results);
    voices.set(key, count);
  }
  return null;
}

function decode(account: Address, results: readonly string[]): SignerSet | null {
  try {
    const values = reads.map((name, index) => accountInterface.decodeFunctionResult(name, results[index] ?? ''));
    const [epoch, threshold, signers, recoveryEpoch, recoveryThreshold, recoverySigners, pending] = values;
    const set = {
      account,
      epoch: Number(epoch?.[0]),
      threshold: Number(threshold?.[0]),
      signers: Array.from(signers?.[0] as Iterable<string>, parseSigner),
      recoveryEpoch: Number(recoveryEpoch?.[0]),
      recoveryThreshold: Number(recoveryThreshold?.[0]),
      recoverySigners: Array.from(recoverySigners?.[0] as Iterable<string>, parseSigner),
      pending: pending?.[0] === zeroBytes32 ? null : { hash: pending?.[0], recoverableFrom: Number(pending?.[1]) },
    };
    return signerSetSchema.parse(set);
  } catch {
    // Another contract, or none, which has no such functions; or nodes that answer something else than an encoding.
    return null;
  }
}

/** The set that was seen last; null where none was. */
export function storedSigners({ database }: MonitorState, product: string): SignerSet | null {
  const row = database.prepare('select body from signer_sets where product = ?').get(product);
  return row
    ? parseJson(String(row['body']), signerSetSchema, {
        code: 'monitor-state-damaged',
        maximumBytes: 64 * 1024,
        what: 'the signers in the state',
      })
    : null;
}

/** Within a transaction of the caller. */
export function storeSigners({ database }: MonitorState, product: string, set: SignerSet): void {
  database
    .prepare('insert into signer_sets (product, body) values (?, ?) on conflict do update set body = excluded.body')
    .run(product, JSON.stringify(set));
}

/** What has changed between two looks; nothing where the publisher itself is another, which is an event of its own. */
export function signerChanges(
  before: SignerSet | null,
  now: SignerSet,
): readonly (Notice & { readonly step: string })[] {
  if (before === null || before.account !== now.account) return [];
  const changes: (Notice & { readonly step: string })[] = [];
  if (before.epoch !== now.epoch) {
    const message = `the signers of ${now.account} have changed: now ${now.threshold} of ${listed(now.signers)}, before ${before.threshold} of ${listed(before.signers)}`;
    changes.push({ code: 'signers-changed', severity: 'warn', message, step: `signers ${now.account} ${now.epoch}` });
  }
  if (before.recoveryEpoch !== now.recoveryEpoch) {
    const who =
      now.recoverySigners.length === 0 ? 'nobody' : `${now.recoveryThreshold} of ${listed(now.recoverySigners)}`;
    const message = `who may recover ${now.account} has changed: now ${who}`;
    changes.push({
      code: 'signers-changed',
      severity: 'warn',
      message,
      step: `recovery ${now.account} ${now.recoveryEpoch}`,
    });
  }
  return changes;
}

const listed = (signers: SignerSet['signers']) => signers.map(shortSigner).join(', ');

/** A recovery that is announced: whoever holds the recovery keys takes the account over unless it is cancelled. */
export function recoveryConditions({ account, pending }: SignerSet): readonly Condition[] {
  if (pending === null) return [];
  const from = new Date(pending.recoverableFrom * 1000).toISOString();
  const message = `a recovery of ${account} is scheduled and can be completed from ${from}; current signers can cancel it`;
  return [
    { code: 'recovery-pending', severity: 'bad', subject: `${account} ${pending.hash}`, message, patienceSeconds: 0 },
  ];
}
