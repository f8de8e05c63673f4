import { randomBytes } from 'node:crypto';
import { FirmproofClient } from '@firmproof/client';
import { callOf, registryInterface, releaseRegistryAbi } from '@firmproof/contracts';
import { type ActionMessage, parseVersion, sha256, type Version } from '@firmproof/protocol';
import {
  actionTypedData,
  type ChainRequest,
  type SignerApproval,
  sortedOut,
  wrapApprovals,
} from '@firmproof/protocol/approval';
import { createRpc } from '@firmproof/protocol/node';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relayFileOf } from '../../client/src/relay.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { refused, withRelayer } from '../support/relayer.ts';
import { destroyStack, eventually, type Stack, stable, startStack } from '../support/stack.ts';
import {
  approvalsBy,
  p256Signer,
  passkeySigner,
  type TeamSigner,
  teamTypedData,
  walletSigner,
} from '../support/team.ts';
import { makeTeam, type TeamVendor } from '../support/team-vendor.ts';

const [wallet, p256, passkey, otherPasskey] = [walletSigner(), p256Signer(), passkeySigner(), passkeySigner()];
const images = { '1.0.0': randomBytes(40_000), '2.0.0': randomBytes(50_000) };

let stack: Stack;
let team: TeamVendor;
let device: TestDevice;

beforeAll(async () => {
  stack = await startStack();
  team = await makeTeam(stack, { signers: [wallet, p256, passkey, otherPasskey] });
  device = makeDevice(team.trustRoot, [stack.url]);
  await release('1.0.0');
  await offers('1.0.0');
  expect(await device.install()).toMatchObject({ outcome: 'installed' });
});
afterAll(async () => {
  device.destroy();
  await destroyStack(stack);
});

async function release(version: keyof typeof images, options: { rollbackIndex?: number } = {}) {
  const proposal = await team.propose(version, images[version], options);
  await team.approve(proposal, p256);
  await team.settle(proposal);
  await promote(parseVersion(version));
}

async function promote(version: Version) {
  const promotion = await team.vendor.promote(team.product, stable, version);
  await team.approve(promotion, p256);
  await team.settle(promotion);
}

const verdictIs = (fits: (verdict: Awaited<ReturnType<TestDevice['check']>>['verdict']) => boolean, what: string) =>
  eventually(async () => (await device.check()).verdict, fits, what);
const offers = (version: string) =>
  verdictIs((verdict) => verdict.outcome === 'update' && verdict.release.version === version, version);

/** A release that nobody of the team has seen: what thieves of one key would have the registry take. */
async function hostile(version: string): Promise<ActionMessage<'Publish'>> {
  const { epoch } = await team.vendor.client.product(team.product);
  return {
    product: team.product,
    version: parseVersion(version),
    image: `0x${sha256(randomBytes(10))}` as never,
    attestation: `0x${sha256(randomBytes(10))}` as never,
    rollbackIndex: 0,
    epoch,
    deadline: Math.floor(Date.now() / 1000) + 3600,
  };
}

/** The registry must refuse it from these signers, whoever relays it; and then there is no such release. */
async function registryRefuses(message: ActionMessage<'Publish'>, by: readonly TeamSigner[]): Promise<void> {
  const at = { account: team.account, epoch: 1 };
  const approvals = approvalsBy(by, teamTypedData(stack.info, at, 'Publish', message));
  const signature = wrapApprovals(approvals, actionTypedData(stack.info, 'Publish', message));
  const registry = { address: stack.info.registry, abi: releaseRegistryAbi };
  await refused(stack, registry, 'publish', [...Object.values(message), signature], 'ApprovalRefused');
  await expectCode('release-not-found', () => team.vendor.client.release(team.product, message.version));
}

describe('A35 a stolen token and one stolen key', () => {
  test('publish nothing: the server waits for a second signer, and so does the registry', async () => {
    const before = await device.fingerprint();
    // The thief has the CI's token, its build key and one approval key: all that a build machine can hold.
    const proposal = await team.propose('6.6.6', randomBytes(100));
    await eventually(
      () => team.vendor.client.proposal(proposal.id),
      ({ reason }) => reason?.code === 'approvals-missing',
      'approvals-missing',
    );
    await expectCode('approvals-missing', async () =>
      relayFileOf(await team.vendor.client.exported(proposal.id), stack.info),
    );
    await registryRefuses(await hostile('6.6.7'), [wallet]);
    expect((await device.check()).verdict).toMatchObject({ outcome: 'current' });
    expect(await device.fingerprint()).toEqual(before);
  });

  test('cannot count the one key twice (A12)', async () => {
    const proposal = await team.propose('6.6.8', randomBytes(100));
    await team.approve(proposal, wallet, wallet);
    expect((await team.vendor.client.proposal(proposal.id)).approvals).toHaveLength(1);
    await registryRefuses(await hostile('6.6.9'), [wallet, wallet]);
  });
});

describe('A49 a page that shows one release and has another approved', () => {
  test('gets the passkeys of everybody who believes it, and no release', async () => {
    await registryRefuses(await hostile('6.7.0'), [passkey, otherPasskey]);
  });
});

describe('A24 a relayer that censors', () => {
  test('delays nothing: whoever has the export relays it through any node, and devices prove it', async () => {
    const rpc = createRpc(stack.rpcUrl);
    const relayer = await withRelayer(stack, stack.directory, async ({ address }) => address);
    const balance = await rpc<string>('eth_getBalance', [relayer, 'latest']);
    const proposal = await team.propose('2.0.0', images['2.0.0'], { rollbackIndex: 1 });
    await rpc('anvil_setBalance', [relayer, '0x0']);
    await team.approve(proposal, p256);
    await eventually(
      () => team.vendor.client.proposal(proposal.id),
      ({ reason }) => reason?.code === 'relayer-out-of-gas',
      'relayer-out-of-gas',
    );
    // What runs keeps running; nothing new is a verdict of its own, not a failure.
    expect((await device.check()).verdict).toMatchObject({ outcome: 'current' });
    const { to, data } = relayFileOf(await team.vendor.client.exported(proposal.id), stack.info);
    const anybody = Wallet.createRandom();
    await rpc('anvil_setBalance', [anybody.address, '0xde0b6b3a7640000']);
    await withRelayer(stack, stack.directory, async ({ provider }) => {
      await (await new Wallet(anybody.privateKey, provider).sendTransaction({ to, data })).wait();
    });
    expect(await team.settle(proposal)).toMatchObject({ state: 'confirmed' });
    await rpc('anvil_setBalance', [relayer, balance]);
    await promote(parseVersion('2.0.0'));
    await offers('2.0.0');
  });

  test('cannot relay anything else than what was approved', async () => {
    const promotion = await team.vendor.promote(team.product, stable, parseVersion('1.0.0'));
    await team.approve(promotion, p256);
    const exported = await team.vendor.client.exported(promotion.id);
    const message = { ...promotion.message, version: '2.0.0' };
    const other = { ...exported, request: { ...exported.request, message } };
    await expectCode('server-lied', () => relayFileOf(other, stack.info));
    const approvals = exported.request['approvals'] as SignerApproval[];
    const given = (exported.requirements && sortedOut(exported.requirements, approvals)) ?? { signature: '0x' };
    const { data } = callOf(stack.info, { kind: 'promote', body: other.request } as never as ChainRequest, given);
    const args = registryInterface.parseTransaction({ data })?.args ?? [];
    await team.settle(promotion);
    const registry = { address: stack.info.registry, abi: releaseRegistryAbi };
    await refused(stack, registry, 'promote', [...args], 'CounterMismatch');
    const next = { ...message, counter: Number(message['counter' as never]) + 1 };
    const replayed = { ...other.request, message: next };
    const later = callOf(stack.info, { kind: 'promote', body: replayed } as never as ChainRequest, given);
    const laterArgs = registryInterface.parseTransaction({ data: later.data })?.args ?? [];
    await refused(stack, registry, 'promote', [...laterArgs], 'ApprovalRefused');
  });
});

describe('A05 a rollback that the vendor authorises', () => {
  test('is followed while the security floor allows it, and only when the head on chain says so', async () => {
    await promote(parseVersion('2.0.0'));
    await offers('2.0.0');
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '2.0.0' });
    // 2.0.0 has raised the floor: what lies below it is refused, whoever approves it.
    await promote(parseVersion('1.0.0'));
    await verdictIs((verdict) => 'code' in verdict && verdict.code === 'below-rollback-floor', 'below-rollback-floor');
    expect(await device.install()).toMatchObject({ code: 'below-rollback-floor' });
    const fixed = await team.propose('1.0.1', randomBytes(30_000), { rollbackIndex: 1 });
    await team.approve(fixed, passkey);
    await team.settle(fixed);
    await promote(parseVersion('1.0.1'));
    await offers('1.0.1');
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '1.0.1' });
  });
});

test('a login with a signature of somebody else is none, whatever signer it names', async () => {
  const { message, signature } = await team.vendor.approver.login(stack.url, stack.info.chainId);
  const client = new FirmproofClient({ server: stack.url });
  await expectCode('login-invalid', () => client.login({ message, signature, signer: p256.signer }));
});
