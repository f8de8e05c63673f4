// What nodes say of a vendor account is asked, not proven: a quorum has to say the same, and no answer stops the monitor (A38).
import { accountInterface } from '@firmproof/contracts';
import { parseAddress, parseBytes32, parseSigner, zeroBytes32 } from '@firmproof/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RpcNode } from '../../../client/src/audit/rpc-node.ts';
import { lookAtAccount, recoveryConditions, signerChanges } from '../../../client/src/monitor/follow/account.ts';

const account = parseAddress(`0x${'aa'.repeat(20)}`);
const [one, two] = ['11', '22'].map((byte) => parseSigner(`0x${byte.repeat(20)}`));
if (!(one && two)) throw new Error('no signers');
const hash = parseBytes32(`0x${'7'.repeat(64)}`);
const block = { chainId: 1, number: 7, hash, stateRoot: hash, timestamp: 1_800_000_000 };

const answers = (epoch: number, signers: readonly string[], pending: readonly [string, number] = [zeroBytes32, 0]) =>
  [
    ['signerEpoch', [epoch]],
    ['threshold', [1]],
    ['signers', [signers]],
    ['recoveryEpoch', [1]],
    ['recoveryThreshold', [0]],
    ['recoverySigners', [[]]],
    ['pendingRecovery', pending],
  ].map(([name, values]) => accountInterface.encodeFunctionResult(name as string, values as unknown[]));

const node = (results: readonly unknown[]) =>
  ({ batch: async () => results.map((result) => ({ result })) }) as unknown as RpcNode;
const look = (quorum: number, ...nodes: readonly RpcNode[]) => lookAtAccount(account, block, nodes, quorum);

describe('the signers of an account', () => {
  test('are those that a quorum shows', async () => {
    const [honest, liar] = [node(answers(1, [one])), node(answers(1, [two]))];
    expect((await look(2, honest, liar, honest))?.signers).toEqual([one]);
    expect(await look(2, honest, liar)).toBe(null);
  });

  test('whatever a node answers, it is read or it is nothing', async () => {
    const part = fc.oneof(
      fc.string(),
      fc.constant('0x'),
      fc.uint8Array().map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(part, fc.anything()), { maxLength: 8 }), async (results) => {
        expect(await look(1, node(results))).toBe(null);
      }),
    );
  });

  test('are told when they change, and a recovery as long as it waits', async () => {
    const before = await look(1, node(answers(1, [one])));
    const now = await look(1, node(answers(2, [one, two], [hash, 1_800_000_000])));
    if (before === null || now === null) throw new Error('not read');
    expect(signerChanges(before, before)).toEqual([]);
    expect(signerChanges(null, now)).toEqual([]);
    expect(signerChanges(before, now)).toMatchObject([{ code: 'signers-changed', step: `signers ${account} 2` }]);
    expect(recoveryConditions(before)).toEqual([]);
    expect(recoveryConditions(now)).toMatchObject([
      { code: 'recovery-pending', message: expect.stringContaining('2027-01-15') },
    ]);
  });
});
