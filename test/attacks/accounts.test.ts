// A12, A13, A46, A49: who counts, against the contracts themselves with no server in between. Whoever holds a token, the relayer’s key
// and one signer’s key can send this much.
import { vendorAccountAbi } from '@firmproof/contracts';
import { accountTypedData, hashStruct, typedDataHash } from '@firmproof/protocol/approval';
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import { AttackedTeam, inAnHour, refusedAccount } from '../support/attacked-team.ts';
import { expectCode } from '../support/expect-code.ts';
import { call, refused } from '../support/relayer.ts';
import { destroyStack, type Stack, startStack } from '../support/stack.ts';
import {
  approvalsBy,
  approveChange,
  deployAccount,
  mixedTeam,
  p256Signer,
  parametersOf,
  passkeySigner,
  teamTypedData,
  walletSigner,
} from '../support/team.ts';
import { vendorOf } from '../support/team-vendor.ts';

let stack: Stack;
let team: AttackedTeam;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => destroyStack(stack));
beforeEach(async () => {
  team = await AttackedTeam.open(stack);
});

describe('A12 fewer than k keys', () => {
  test('one signer of two, of any kind', async () => {
    const message = team.release();
    for (const member of team.members) await team.refusedRelease(message, team.signedBy([member], message));
    await team.publishes(team.members.slice(0, 2));
  });

  test('one key counted twice', async () => {
    const message = team.release();
    for (const member of team.members) await team.refusedRelease(message, team.signedBy([member, member], message));
  });

  test('one key and a stranger’s', async () => {
    const message = team.release();
    for (const stranger of mixedTeam()) {
      await team.refusedRelease(message, team.signedBy([team.members[1], stranger], message));
      await team.refusedRelease(message, team.signedBy([...team.members, stranger], message));
    }
  });

  test('nobody', async () => {
    const message = team.release();
    await team.refusedRelease(message, team.signedBy([], message));
    await team.refusedRelease(message, '0x');
  });

  test('two signers, one signature', async () => {
    const message = team.release();
    const [one] = team.members;
    const typed = teamTypedData(stack.info, team.at(1), 'Publish', message);
    const approvals = approvalsBy(team.members.slice(0, 2), typed);
    const borrowed = approvals.map(({ signer }) => ({ signer, signature: one.sign(typedDataHash(typed)) }));
    await team.refusedRelease(message, team.wrapped(borrowed, message));
  });

  test('a threshold of zero, or out of reach, from the first day', async () => {
    await refusedAccount(stack, parametersOf(team.members, 0), 'InvalidThreshold(0,3)');
    await refusedAccount(stack, parametersOf(team.members, 4), 'InvalidThreshold(4,3)');
    await refusedAccount(stack, parametersOf([], 0), 'InvalidThreshold(0,0)');
  });

  test('a threshold of zero, or out of reach, set later', async () => {
    for (const threshold of [0, 3]) {
      const signers = team.members.slice(0, 2).map(({ signer }) => signer);
      const args = team.newSigners(signers, threshold, team.members, team.members);
      await refused(stack, team.contract, 'setSigners', args, `InvalidThreshold(${threshold},2)`);
    }
  });
});

describe('A13 a removed signer', () => {
  test('approvals from before the rotation are worth nothing after it', async () => {
    const [alice, bob, carol] = team.members;
    const message = team.release();
    const before = team.signedBy([alice, bob], message);
    const dave = p256Signer();
    await team.setSigners([alice, carol, dave], 2, [alice, bob], 1);
    await team.refusedRelease(message, before);
    // Not the approval of those who stayed either: they approve again, knowing who approves beside them.
    await team.refusedRelease(message, team.signedBy([alice, carol], message));
    await team.publishes([alice, carol], 2);
  });

  test('approves nothing any more', async () => {
    const [alice, bob, carol] = team.members;
    await team.setSigners([alice, carol], 2, [alice, bob], 1);
    const message = team.release();
    await team.refusedRelease(message, team.signedBy([alice, bob], message, 2));
    await team.refusedRelease(message, team.signedBy([alice, bob, carol], message, 2));
  });

  test('cannot bring itself back', async () => {
    const [alice, bob, carol] = team.members;
    await team.setSigners([alice, carol], 2, [alice, bob], 1);
    const args = team.newSigners([alice.signer, bob.signer], 1, [alice, bob], [alice, bob], 2);
    await refused(stack, team.contract, 'setSigners', args, 'CurrentSignersRefused()');
  });

  test('logs in no more, though the address of the account is made of its key', async () => {
    const [alice, bob, carol] = team.members;
    const founding = parametersOf(team.members, 2);
    await vendorOf(stack, team.account, bob, founding);
    await team.setSigners([alice, carol], 2, [alice, bob], 1);
    await expectCode('login-invalid', () => vendorOf(stack, team.account, bob, founding));
    await vendorOf(stack, team.account, carol, founding);
  });
});

describe('A46 old approvals under new rules', () => {
  test('a lower threshold makes no old approval enough', async () => {
    const [alice, bob] = team.members;
    const message = team.release();
    const partial = team.signedBy([bob], message);
    await team.refusedRelease(message, partial);
    await team.setSigners(team.members, 1, [alice, bob], 1);
    await team.refusedRelease(message, partial);
    await team.publishes([bob], 2);
  });

  test('a signer added back brings no old approval with it', async () => {
    const [alice, bob, carol] = team.members;
    const message = team.release();
    const before = team.signedBy([alice, bob], message);
    await team.setSigners([alice, carol], 2, [alice, bob], 1);
    await team.setSigners([alice, bob, carol], 2, [alice, carol], 2);
    await team.refusedRelease(message, before);
    await team.publishes([alice, bob], 3);
  });

  test('a smaller recovery set makes no old announcement enough', async () => {
    const [one, other, mallory] = [walletSigner(), passkeySigner(), walletSigner()];
    const recoverySigners = [one.signer, other.signer];
    const parameters = parametersOf(team.members, 2, { recoverySigners, recoveryThreshold: 2 });
    const account = await deployAccount(stack, parameters);
    const contract = { address: account, abi: vendorAccountAbi };
    const { chainId } = stack.info;
    const recover = (epoch: number) => ({
      signers: [mallory.signer],
      threshold: 1,
      passkeysAlone: false,
      epoch,
      deadline: inAnHour(),
    });
    const message = recover(2);
    const partial = approveChange(chainId, { account, epoch: 1 }, [one], 'Recover', message);
    const announce = (said: object) => [...Object.values(said), partial];
    await refused(stack, contract, 'scheduleRecovery', announce(message), 'RecoverySignersRefused()');
    const smaller = { signers: [one.signer], threshold: 1, epoch: 2, deadline: inAnHour() };
    const approval = approveChange(chainId, { account, epoch: 1 }, team.members, 'SetRecovery', smaller);
    await call(stack, contract, 'setRecovery', [...Object.values(smaller), approval]);
    await refused(stack, contract, 'scheduleRecovery', announce(message), 'SignerEpochMismatch(2,3)');
    await refused(stack, contract, 'scheduleRecovery', announce({ ...message, epoch: 3 }), 'RecoverySignersRefused()');
  });

  test('an announcement that was cancelled is not announced again', async () => {
    const backup = walletSigner();
    const recovery = { recoverySigners: [backup.signer], recoveryThreshold: 1 };
    const account = await deployAccount(stack, parametersOf(team.members, 2, recovery));
    const contract = { address: account, abi: vendorAccountAbi };
    const where = { account, epoch: 1 };
    const { chainId } = stack.info;
    const [signers, threshold, epoch] = [[backup.signer], 1, 2];
    const message = { signers, threshold, passkeysAlone: false, epoch, deadline: inAnHour() };
    const announced = [...Object.values(message), approveChange(chainId, where, [backup], 'Recover', message)];
    const { types, primaryType } = accountTypedData(chainId, where, 'Recover', message);
    const pending = hashStruct(types, primaryType, message);
    await call(stack, contract, 'scheduleRecovery', announced);
    await refused(stack, contract, 'scheduleRecovery', announced, `AlreadyAnnounced(${pending})`);
    const cancel = { pending, deadline: inAnHour() };
    const approval = approveChange(chainId, where, team.members, 'CancelRecovery', cancel);
    await call(stack, contract, 'cancelRecovery', [...Object.values(cancel), approval]);
    await refused(stack, contract, 'scheduleRecovery', announced, `AlreadyAnnounced(${pending})`);
  });
});

describe('A49 a page that lies', () => {
  test('two passkeys approve nothing without somebody outside a browser', async () => {
    const [wallet, one, other] = [walletSigner(), passkeySigner(), passkeySigner()];
    team = await AttackedTeam.open(stack, [wallet, one, other]);
    const message = team.release();
    await team.refusedRelease(message, team.signedBy([one, other], message));
    await team.publishes([wallet, one]);
  });

  test('a set of passkeys alone is none, unless that was chosen', async () => {
    const passkeys = [passkeySigner(), passkeySigner()];
    await refusedAccount(stack, parametersOf(passkeys, 2), 'PasskeysOnly()');
    await deployAccount(stack, parametersOf(passkeys, 2, { passkeysAlone: true }));
  });
});
