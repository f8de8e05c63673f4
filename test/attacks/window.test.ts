// A13, A42: what a stolen publisher key does in the veto window, and what the guardian, who can only stop, does about it.
import { randomBytes } from 'node:crypto';
import { FirmproofClient, signAction, Vendor, WalletApprover, walletKey } from '@firmproof/client';
import { releaseRegistryAbi } from '@firmproof/contracts';
import { type ActionMessage, type ProductResource, parseAddress, parseVersion } from '@firmproof/protocol';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { refused } from '../support/relayer.ts';
import {
  destroyStack,
  eventually,
  makeVendor,
  type Stack,
  stable,
  startStack,
  type TestVendor,
} from '../support/stack.ts';
import { travel } from '../support/time.ts';

const windowSeconds = 7200;
let stack: Stack;
/** The thief has this vendor's approval key; the vendor has it too. */
let vendor: TestVendor;
let guardian: Vendor;
let device: TestDevice;
const guardianWallet = new Wallet(`0x${randomBytes(32).toString('hex')}`);
const thief = parseAddress(Wallet.createRandom().address);
const first = randomBytes(900_000);

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack, { delaySeconds: windowSeconds, guardian: guardianWallet.address });
  const approver = new WalletApprover(walletKey(guardianWallet));
  ({ vendor: guardian } = await Vendor.login(new FirmproofClient({ server: stack.url }), approver));
  device = makeDevice(vendor.trustRoot, [stack.url]);
  await vendor.publish('1.0.0', first);
  await vendor.promote('1.0.0');
});
afterAll(async () => {
  device.destroy();
  await destroyStack(stack);
});

const client = () => vendor.vendor.client;
const product = () => client().product(vendor.product);
const settled = async (proposal: { id: string }) => client().follow(proposal.id);
const registry = () => ({ address: stack.info.registry, abi: releaseRegistryAbi });
const seen = (code: string) =>
  eventually(
    async () => (await device.check()).verdict,
    (verdict) => 'code' in verdict && verdict.code === code,
    code,
  );
const messageOf = ({ pending }: ProductResource): ActionMessage<'Configure'> => {
  if (!pending) throw new Error('nothing is scheduled');
  return pending.configuration;
};
const promotion = async (): Promise<ActionMessage<'Promote'>> => {
  const { epoch, channels } = await product();
  const counter = (channels.find((head) => head.channel === stable)?.counter ?? 0) + 1;
  const version = parseVersion('1.0.0');
  const deadline = Math.floor(Date.now() / 1000) + 30 * 86_400;
  return {
    product: vendor.product,
    channel: stable,
    version,
    counter,
    start: 0,
    duration: 0,
    firstShare: 10_000,
    epoch,
    deadline,
  };
};

describe('a release in its veto window', () => {
  test('is proven to a device, and not installed before the window is over', async () => {
    await seen('not-installable-yet');
    const before = await device.fingerprint();
    expect(await device.install()).toMatchObject({ outcome: 'waiting', code: 'not-installable-yet' });
    expect(await device.fingerprint()).toEqual(before);
    await travel(stack, windowSeconds);
    await eventually(
      async () => (await device.check()).verdict,
      ({ outcome }) => outcome === 'update',
      'the end of the window',
    );
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '1.0.0' });
  });

  test('can be taken back by the guardian while it lasts, and not after', async () => {
    await vendor.publish('1.1.0', randomBytes(5000));
    await vendor.promote('1.1.0');
    await settled(await guardian.revoke(vendor.product, parseVersion('1.1.0')));
    await seen('head-revoked');
    await expectCode('too-late-to-stop', () => guardian.revoke(vendor.product, parseVersion('1.0.0')));
    await settled(await vendor.vendor.promote(vendor.product, stable, parseVersion('1.0.0')));
    await seen('already-installed');
  });
});

describe('A42 stolen publisher keys', () => {
  let scheduled: ActionMessage<'Configure'>;
  let openPromotion: ActionMessage<'Promote'>;

  test('set the delay to 0 and swap the guardian: not before the window is over', async () => {
    openPromotion = await promotion();
    await settled(await vendor.vendor.configure(vendor.product, { delaySeconds: 0, guardian: thief }));
    scheduled = messageOf(await product());
    expect(scheduled).toMatchObject({ delay: 0, guardian: thief });
    await refused(stack, registry(), 'applyConfiguration', [...Object.values(scheduled), 0, '0x'], 'DelayNotOver');
    expect(await product()).toMatchObject({
      delaySeconds: windowSeconds,
      guardian: parseAddress(guardianWallet.address),
    });
  });

  test('publish at once: the old window holds for what is published in it', async () => {
    await vendor.publish('6.6.6', randomBytes(4000));
    await vendor.promote('6.6.6');
    await seen('not-installable-yet');
  });

  test('approvals that were open when it was scheduled are dead', async () => {
    const signature = await signAction(vendor.wallet, vendor.vendor.info, 'Promote', openPromotion);
    await refused(stack, registry(), 'promote', [...Object.values(openPromotion), signature], 'EpochMismatch');
  });

  test('a veto by the guardian ends it, for ever', async () => {
    await settled(await guardian.veto(vendor.product));
    await settled(await guardian.revoke(vendor.product, parseVersion('6.6.6')));
    await seen('head-revoked');
    await travel(stack, windowSeconds);
    await refused(stack, registry(), 'applyConfiguration', [...Object.values(scheduled), 0, '0x'], 'NothingPending');
    await expectCode('nothing-scheduled', () => vendor.vendor.applyConfiguration(vendor.product));
    expect(await product()).toMatchObject({
      delaySeconds: windowSeconds,
      guardian: parseAddress(guardianWallet.address),
    });
    expect(device.running()).not.toBeNull();
  });
});

describe('the guardian is a hot key that can only stop', () => {
  test('it halts a channel, and a device sees that', async () => {
    await settled(await guardian.halt(vendor.product, stable));
    await seen('channel-halted');
  });

  test('it starts nothing: promotions, configurations and releases are refused everywhere', async () => {
    const message = await promotion();
    const signature = await signAction(guardianWallet, vendor.vendor.info, 'Promote', message);
    await expectCode('approval-invalid', () => guardian.client.promote(message, signature));
    await refused(stack, registry(), 'promote', [...Object.values(message), signature], 'ApprovalRefused');
    await expectCode('approval-invalid', () => guardian.configure(vendor.product, { delaySeconds: 0 }));
    expect((await product()).pending).toBeUndefined();
  });

  test('it vetoes nothing that replaces itself alone', async () => {
    const successor = parseAddress(Wallet.createRandom().address);
    await settled(await vendor.vendor.configure(vendor.product, { guardian: successor }));
    await expectCode('too-late-to-stop', () => guardian.veto(vendor.product));
    await travel(stack, windowSeconds);
    await settled(await vendor.vendor.applyConfiguration(vendor.product));
    expect((await product()).guardian).toBe(successor);
  });
});

describe('A13 a publisher that has handed the product over', () => {
  test('has no approval left, not even those that it gave before', async () => {
    const heir = await makeVendor(stack, { name: 'heir' });
    const message = await promotion();
    const signature = await signAction(vendor.wallet, vendor.vendor.info, 'Promote', message);
    await settled(await vendor.vendor.configure(vendor.product, { publisher: heir.vendor.account }));
    await travel(stack, windowSeconds);
    const { configuration } = (await product()).pending ?? {};
    await refused(stack, registry(), 'applyConfiguration', [...Object.values(configuration ?? {}), 0, '0x'], 'Expired');
    await heir.vendor.client.follow((await heir.vendor.applyConfiguration(vendor.product)).id);
    await refused(stack, registry(), 'promote', [...Object.values(message), signature], 'EpochMismatch');
    const now = await promotion();
    const again = await signAction(vendor.wallet, vendor.vendor.info, 'Promote', now);
    await refused(stack, registry(), 'promote', [...Object.values(now), again], 'ApprovalRefused');
    await expectCode('token-scope', () => client().promote(now, again));
  });
});
