import { randomBytes } from 'node:crypto';
import { FirmproofClient, signAction, Vendor, WalletApprover, walletKey } from '@firmproof/client';
import { callOf } from '@firmproof/contracts';
import {
  type ExportedProposal,
  type Proposal,
  parseVersion,
  type Reject,
  rejectTypes,
  type Signer,
  serverDomain,
} from '@firmproof/protocol';
import {
  approvedBy,
  type ChainRequest,
  type SignerApproval,
  sortedOut,
  typedDataHash,
} from '@firmproof/protocol/approval';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCode } from '../support/expect-code.ts';
import { withRelayer } from '../support/relayer.ts';
import { destroyStack, eventually, makeVendor, type Stack, stable, startStack } from '../support/stack.ts';
import { passkeySigner, type TeamSigner, walletSigner } from '../support/team.ts';
import { makeTeam, type TeamVendor, vendorOf } from '../support/team-vendor.ts';

let stack: Stack;
let team: TeamVendor;
let [wallet, p256, passkey]: TeamSigner[] = [];

beforeAll(async () => {
  stack = await startStack();
  team = await makeTeam(stack);
  [wallet, p256, passkey] = [...team.signers];
});
afterAll(() => destroyStack(stack));

const client = () => team.vendor.client;
const read = (proposal: Proposal) => client().proposal(proposal.id);
const hourFromNow = () => Math.floor(Date.now() / 1000) + 3600;

/** Waits until the worker has looked at it and says what it waits for. */
const waitsFor = (proposal: Proposal, code: string) =>
  eventually(
    () => read(proposal),
    (now) => now.state === 'approving' && now.reason?.code === code,
    code,
  );

function rejection(proposal: Proposal, { signer, sign }: TeamSigner, change: Partial<Reject> = {}) {
  const message = {
    proposal: proposal.id,
    reason: 'the bootloader is the old one',
    deadline: hourFromNow(),
    ...change,
  };
  const domain = serverDomain(stack.info.chainId);
  return {
    message,
    by: { signer, signature: sign(typedDataHash({ domain, types: rejectTypes, primaryType: 'Reject', message })) },
  };
}

describe('a release that two of three approve', () => {
  test('waits for the second, says who is missing, and is relayed with it', async () => {
    const proposal = await team.propose('1.0.0', randomBytes(2000));
    const waiting = await waitsFor(proposal, 'approvals-missing');
    expect(waiting.approvals.map(({ signer }) => signer)).toEqual([wallet?.signer]);
    expect(waiting.requirements).toMatchObject({ account: team.account, epoch: 1 });
    expect(waiting.requirements?.quorums[0]).toMatchObject({ role: 'current', threshold: 2, passkeysAlone: false });
    expect(waiting.message).toMatchObject({ version: '1.0.0' });
    // The same signer once more changes nothing.
    await team.approve(proposal, wallet as TeamSigner);
    expect((await read(proposal)).approvals).toHaveLength(1);
    await team.approve(proposal, passkey as TeamSigner);
    expect(await team.settle(proposal)).toMatchObject({ state: 'confirmed' });
    expect(await client().release(team.product, parseVersion('1.0.0'))).toMatchObject({ status: 'active' });
    await expectCode('proposal-closed', () => team.approve(proposal, p256 as TeamSigner));
  });

  test('its attestation can be read by who knows the proposal, until it is on chain', async () => {
    const proposal = await team.propose('1.0.1', randomBytes(100));
    const anybody = new FirmproofClient({ server: stack.url });
    expect(await anybody.proposedAttestation(proposal.id)).toContain('dsseEnvelope');
    await team.approve(proposal, p256 as TeamSigner);
    await team.settle(proposal);
    await expectCode('authentication-required', () => anybody.proposedAttestation(proposal.id));
    expect(await client().proposedAttestation(proposal.id)).toContain('dsseEnvelope');
  });

  test('one that waits holds up nobody else', async () => {
    const waiting = await team.propose('1.1.0', randomBytes(100));
    const other = await team.propose('1.2.0', randomBytes(100));
    await team.approve(other, p256 as TeamSigner);
    expect(await team.settle(other)).toMatchObject({ state: 'confirmed' });
    expect((await read(waiting)).state).toBe('approving');
  });

  test('is listed for its signers, and for nobody else', async () => {
    const listed = await client().proposals(team.account);
    expect(listed.map(({ version }) => version)).toContain('1.1.0');
    await expectCode('authentication-required', () =>
      new FirmproofClient({ server: stack.url }).proposals(team.account),
    );
  });
});

describe('what approves nothing', () => {
  let proposal: Proposal;
  beforeAll(async () => {
    proposal = await team.propose('2.0.0', randomBytes(100));
  });

  test('a stranger’s signature', async () => {
    const stranger = walletSigner();
    const approval = await team.approvalOf(stranger, proposal);
    await expectCode('signer-unknown', () => client().approve(proposal.id, approval));
  });

  test('a stranger’s signature in a signer’s name', async () => {
    const { signature } = await team.approvalOf(walletSigner(), proposal);
    const forged = { signer: wallet?.signer as Signer, signature };
    await expectCode('approval-invalid', () => client().approve(proposal.id, forged));
  });

  test('an approval of another proposal', async () => {
    const other = await team.propose('2.0.1', randomBytes(100));
    const approval = await team.approvalOf(p256 as TeamSigner, other);
    await expectCode('approval-invalid', () => client().approve(proposal.id, approval));
  });

  test('a text that is no signature', async () => {
    const approval: SignerApproval = { signer: p256?.signer as Signer, signature: '0x' };
    await expectCode('approval-invalid', () => client().approve(proposal.id, approval));
  });

  test('a token alone: who proposes need not approve, and then all approvals are missing (A35)', async () => {
    const { product, vendor, account } = team;
    const message = { product, version: parseVersion('1.0.0'), deadline: hourFromNow() };
    const revocation = await client().revoke(message, account, { approvals: [] });
    expect(await waitsFor(revocation, 'approvals-missing')).toMatchObject({ approvals: [] });
    expect(await vendor.client.release(product, parseVersion('1.0.0'))).toMatchObject({ status: 'active' });
  });

  test('nothing at all, where a single wallet publishes', async () => {
    const { vendor, product } = await makeVendor(stack, { name: 'single' });
    const message = { product, channel: stable, halts: 1, deadline: hourFromNow() };
    await expectCode('approval-invalid', () => vendor.client.halt(message, vendor.account, { approvals: [] }));
  });

  test('passkeys alone: one approval has to come from outside a browser (A49)', async () => {
    const [first, second] = [passkeySigner(), passkeySigner()];
    const browsers = await makeTeam(stack, { name: 'browsers', signers: [walletSigner(), first, second] });
    const [outside] = browsers.signers;
    const inBrowser = await vendorOf(stack, browsers.account, first);
    const { epoch, publisher, guardian, trustRoot } = await inBrowser.client.product(browsers.product);
    const message = {
      product: browsers.product,
      publisher,
      guardian,
      delay: 60,
      trustRoot: `0x${trustRoot}` as never,
      epoch,
      deadline: hourFromNow(),
    };
    const by = await inBrowser.approver.approve(stack.info, 'Configure', message);
    const change = await inBrowser.client.configure(message, by);
    await browsers.approve(change, second);
    await eventually(
      () => read(change),
      ({ reason }) => reason?.code === 'browser-alone',
      'browser-alone',
    );
    await browsers.approve(change, outside as TeamSigner);
    expect(await browsers.settle(change)).toMatchObject({ state: 'confirmed' });
  });
});

describe('a guardian that signs for itself', () => {
  test('stops at once, whatever the team, or who has its token, has proposed before', async () => {
    const key = Wallet.createRandom();
    const guarded = await makeTeam(stack, { name: 'guarded', guardian: key.address, delaySeconds: 3600 });
    const release = await guarded.propose('1.0.0', randomBytes(100));
    await guarded.approve(release, guarded.signers[1] as TeamSigner);
    await guarded.settle(release);
    const { vendor, product, account } = guarded;
    const guardian = await Vendor.login(
      new FirmproofClient({ server: stack.url }),
      new WalletApprover(walletKey(new Wallet(key.privateKey))),
    );
    const message = { product, version: parseVersion('1.0.0'), deadline: hourFromNow() };
    const proposed = await vendor.client.revoke(message, account, { approvals: [] });
    await waitsFor(proposed, 'approvals-missing');
    const signature = await signAction(new Wallet(key.privateKey), stack.info, 'Revoke', message);
    // Another's signature changes nothing.
    const forged = await signAction(Wallet.createRandom() as never, stack.info, 'Revoke', message);
    await expectCode('approval-invalid', () => guardian.vendor.client.revoke(message, guardian.vendor.account, forged));
    expect((await read(proposed)).reason?.code).toBe('approvals-missing');
    const done = await guardian.vendor.client.revoke(message, guardian.vendor.account, signature);
    expect(done.id).toBe(proposed.id);
    expect(await vendor.client.follow(done.id)).toMatchObject({ state: 'confirmed' });
    expect(await vendor.client.release(product, parseVersion('1.0.0'))).toMatchObject({ status: 'revoked' });
  });
});

describe('rejections', () => {
  test('end a proposal when the threshold is out of reach, with their reasons', async () => {
    const proposal = await team.propose('3.0.0', randomBytes(100));
    const one = rejection(proposal, p256 as TeamSigner);
    const rejected = await client().reject(one.message, one.by);
    expect(rejected.rejections).toMatchObject([{ signer: p256?.signer, reason: 'the bootloader is the old one' }]);
    // One of three may think otherwise, and think again.
    await team.approve(proposal, p256 as TeamSigner);
    expect((await read(proposal)).rejections).toEqual([]);
    const again = await team.propose('3.0.1', randomBytes(100));
    for (const signer of [p256, passkey] as TeamSigner[]) {
      const { message, by } = rejection(again, signer);
      await client().reject(message, by);
    }
    await expectCode('rejected-by-signers', () => team.settle(again));
    // What is finished stays as it is, with the reason why.
    await expectCode('proposal-closed', () => client().relay(again.id));
    expect(await read(again)).toMatchObject({ state: 'rejected', reason: { code: 'rejected-by-signers' } });
  });

  test('are refused from strangers, for other proposals, and too late', async () => {
    const proposal = await team.propose('3.1.0', randomBytes(100));
    const strange = rejection(proposal, walletSigner());
    await expectCode('signer-unknown', () => client().reject(strange.message, strange.by));
    const late = rejection(proposal, p256 as TeamSigner, { deadline: 1000 });
    await expectCode('approval-expired', () => client().reject(late.message, late.by));
    const { by } = rejection(proposal, p256 as TeamSigner);
    const { message } = rejection(proposal, p256 as TeamSigner, { reason: 'something else' });
    await expectCode('approval-invalid', () => client().reject(message, by));
  });
});

describe('the deadline', () => {
  test('ends a proposal that nobody else has approved in time', async () => {
    const { product, vendor } = team;
    const deadline = Math.floor(Date.now() / 1000) + 2;
    const message = { product, version: parseVersion('1.0.1'), deadline };
    const by = await vendor.approver.approve(stack.info, 'Revoke', message);
    const proposal = await client().revoke(message, team.account, by);
    await expectCode('approval-expired', () => team.settle(proposal));
    expect(await read(proposal)).toMatchObject({ state: 'expired' });
  });
});

describe('promotions', () => {
  test('one of a release that is still being approved waits for the release', async () => {
    const release = await team.propose('4.0.0', randomBytes(100));
    const promotion = await team.vendor.promote(team.product, stable, parseVersion('4.0.0'));
    await team.approve(promotion, p256 as TeamSigner);
    await waitsFor(promotion, 'release-not-found');
    await team.approve(release, p256 as TeamSigner);
    await team.settle(release);
    expect(await team.settle(promotion)).toMatchObject({ state: 'confirmed' });
    expect(await client().channel(team.product, stable)).toMatchObject({ version: '4.0.0' });
  });

  test('the way back is approved in advance, and relayed when somebody asks', async () => {
    const release = await team.propose('4.1.0', randomBytes(100));
    await team.approve(release, p256 as TeamSigner);
    await team.settle(release);
    const back = await team.vendor.prepareFallback(team.product, stable, parseVersion('4.0.0'), 2);
    expect(back.held).toBe(true);
    const promotion = await team.vendor.promote(team.product, stable, parseVersion('4.1.0'));
    await team.approve(back, passkey as TeamSigner);
    await team.approve(promotion, p256 as TeamSigner);
    await team.settle(promotion);
    await waitsFor(back, 'held-back');
    await expectCode('authentication-required', () => new FirmproofClient({ server: stack.url }).relay(back.id));
    await client().relay(back.id);
    expect(await team.settle(back)).toMatchObject({ state: 'confirmed' });
    expect(await client().channel(team.product, stable)).toMatchObject({ version: '4.0.0' });
  });
});

describe('a stop', () => {
  const evidence = () => client().evidence(team.product, stable);

  test('is in force at once, for everybody, until it is lifted', async () => {
    await eventually(evidence, () => true, 'evidence');
    await expectCode('authentication-required', () =>
      new FirmproofClient({ server: stack.url }).stop(team.product, stable),
    );
    expect(await client().stop(team.product, stable)).toMatchObject({ version: '4.0.0' });
    await expectCode('channel-stopped', evidence);
    expect(await client().channel(team.product, stable)).toMatchObject({ stopped: true, halted: false });
    await client().resume(team.product, stable);
    expect(await evidence()).toContain('cosignatures');
  });

  test('ends by itself when the head has moved', async () => {
    await client().stop(team.product, stable);
    const promotion = await team.vendor.promote(team.product, stable, parseVersion('4.1.0'));
    await team.approve(promotion, p256 as TeamSigner);
    await team.settle(promotion);
    await eventually(evidence, () => true, 'evidence of the new head');
    expect(await client().channel(team.product, stable)).toMatchObject({ stopped: false, version: '4.1.0' });
  });
});

describe('an export', () => {
  test('is all that anybody needs to relay a proposal without the server (A24)', async () => {
    const { vendor } = team;
    const back = await vendor.prepareFallback(team.product, stable, parseVersion('4.0.0'), 2);
    await team.approve(back, p256 as TeamSigner);
    // It is held: this server will not relay it. Its counter is two ahead, so one promotion goes before.
    const promotion = await vendor.promote(team.product, stable, parseVersion('4.1.0'));
    await team.approve(promotion, p256 as TeamSigner);
    await team.settle(promotion);
    await expectCode('authentication-required', () => new FirmproofClient({ server: stack.url }).exported(back.id));
    const { kind, request, requirements }: ExportedProposal = await client().exported(back.id);
    const approvals = request['approvals'] as SignerApproval[];
    expect(approvals).toHaveLength(2);
    const quorum = requirements?.quorums[0];
    expect(quorum && approvedBy(quorum, approvals)).toHaveLength(2);
    const given = requirements && sortedOut(requirements, approvals);
    const { to, data } = callOf(
      stack.info,
      { kind, body: request } as never as ChainRequest,
      given ?? { signature: '0x' },
    );
    await withRelayer(stack, stack.directory, async (relayer) => {
      await (await relayer.sendTransaction({ to, data })).wait();
    });
    expect(await team.settle(back)).toMatchObject({ state: 'confirmed' });
    expect(await client().channel(team.product, stable)).toMatchObject({ version: '4.0.0' });
  });
});

describe('logging in', () => {
  test('for another account opens nothing of this one', async () => {
    const stranger = await makeVendor(stack, { name: 'stranger' });
    const { recovery } = await client().account(team.account);
    const message = { signers: [], threshold: 0, epoch: recovery.epoch + 1, deadline: hourFromNow() };
    const change = await client().changeAccount('set-recovery', team.account, { message, approvals: [] });
    await expectCode('token-scope', () => stranger.vendor.client.exported(change.id));
    await expectCode('token-scope', () => stranger.vendor.client.relay(change.id));
    await expectCode('token-scope', () => stranger.vendor.client.proposals(team.account));
  });

  test('is for signers of the account', async () => {
    await expect(vendorOf(stack, team.account, walletSigner())).rejects.toMatchObject({
      code: 'login-invalid',
      message: `this key is no signer of the account ${team.account}`,
      hint: expect.stringMatching(/firmproof team add/),
    });
    expect((await vendorOf(stack, team.account, passkey as TeamSigner)).account).toBe(team.account);
  });
});
