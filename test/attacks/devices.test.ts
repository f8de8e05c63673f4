import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { signAction } from '@firmproof/client';
import {
  type ActionMessage,
  type BatchDevice,
  deviceLeaf,
  deviceTree,
  formatDeviceList,
  leavesOf,
  parseAddress,
} from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relayFileOf } from '../../client/src/relay.ts';
import { inAnHour } from '../support/attacked-team.ts';
import { acceptedOnChain, deviceAnchor, someDevices } from '../support/devices.ts';
import { post, type SigningDevice, signingDevice, speaking } from '../support/enrolled-device.ts';
import { expectCode } from '../support/expect-code.ts';
import { problemOf } from '../support/http.ts';
import { LyingServer } from '../support/lying-server.ts';
import { call, refused, withRelayer } from '../support/relayer.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';
import { p256Signer, passkeySigner, walletSigner } from '../support/team.ts';
import { memberOf } from '../support/team-home.ts';
import { makeTeam } from '../support/team-vendor.ts';

const devices = someDevices(8);
const [first, stolen] = devices as [BatchDevice, BatchDevice];

let stack: Stack;
let publisher: TestVendor;

beforeAll(async () => {
  stack = await startStack();
  publisher = await makeVendor(stack, { name: 'lamp' });
  const { vendor, product } = publisher;
  await vendor.client.follow((await vendor.anchorDevices({ product, devices })).id);
  await state(first, 'anchored');
});
afterAll(() => destroyStack(stack));

const leafOf = ({ keyDigest, salt }: BatchDevice) => deviceLeaf(publisher.product, keyDigest, salt);

/** What the server says of a device once it says what is expected. */
const state = (device: BatchDevice, expected: 'unanchored' | 'anchored' | 'revoked') =>
  eventually(
    () => publisher.vendor.client.deviceAnchorState(publisher.product, leafOf(device)),
    (found) => found.state === expected,
    expected,
  );

function anchoring(more: readonly BatchDevice[], change: Partial<ActionMessage<'AnchorDevices'>> = {}) {
  const { product } = publisher;
  const { root, count } = deviceTree(leavesOf({ product, devices: more }));
  const { registry } = stack.info;
  return { registry, product, root, count, epoch: 1, deadline: inAnHour(), ...change };
}

const signedBy = (wallet: TestVendor['wallet'], message: ActionMessage<'AnchorDevices'>, at = stack.info) =>
  signAction(wallet, at, 'AnchorDevices', message);

const anchorRefuses = (message: ActionMessage<'AnchorDevices'>, signature: string, error: string) =>
  refused(stack, deviceAnchor, 'anchorDevices', [...Object.values(message), signature], error);

describe('A37 a stolen device key', () => {
  test('is that of one device, and is worth nothing once that is revoked on chain, in this batch and any other', async () => {
    const { vendor, product } = publisher;
    const before = await state(stolen, 'anchored');
    expect(await acceptedOnChain(stack, product, stolen, before.proof ?? [])).toBe(true);
    // The proof of one device says nothing for another key.
    const [other] = someDevices(1) as [BatchDevice];
    expect(await acceptedOnChain(stack, product, other, before.proof ?? [])).toBe(false);

    await vendor.client.follow((await vendor.revokeDevice(product, leafOf(stolen))).id);
    const { proof = [] } = await state(stolen, 'revoked');
    expect(await acceptedOnChain(stack, product, stolen, proof)).toBe(false);
    expect(await acceptedOnChain(stack, product, first, (await state(first, 'anchored')).proof ?? [])).toBe(true);

    // Slipped into the next batch, by mistake or by whoever owns the server that lists the devices.
    const next = { product, devices: [stolen, ...someDevices(2)] };
    await vendor.client.follow((await vendor.anchorDevices(next)).id);
    await state(stolen, 'revoked');
    expect(await acceptedOnChain(stack, product, stolen, proof)).toBe(false);
  });

  test('signs receipts until the revocation on chain, and none after it', async () => {
    const { vendor, product } = publisher;
    const [victim, bystander] = [signingDevice(), signingDevice()];
    const lines = [victim, bystander].map(({ id, publicKey }) => `${id},${publicKey}\n`);
    await vendor.client.importDevices(product, Readable.from([Buffer.from(`device,publicKey\n${lines.join('')}`)]));
    const speak = speaking(stack.url, product);
    const send = async (device: SigningDevice, counter = 1) =>
      (await post(await speak.receipt(device, { counter }))).status;
    expect([await send(victim), await send(bystander)]).toEqual([204, 204]);
    const enrolled = await vendor.client.anchoredDevice(product, victim.id);
    await vendor.client.follow((await vendor.revokeDevice(product, enrolled.leaf)).id);
    await eventually(
      () => vendor.client.anchoredDevice(product, victim.id),
      (found) => found.state === 'revoked',
      'the revocation in the index',
    );
    const before = await vendor.client.device(product, victim.id);
    expect(await problemOf(await post(await speak.receipt(victim, { counter: 2 })))).toMatchObject({
      code: 'device-revoked',
    });
    expect(await problemOf(await post(await speak.enrolment(victim)))).toMatchObject({ code: 'device-revoked' });
    expect(await vendor.client.device(product, victim.id)).toEqual(before);
    expect(await send(bystander, 2)).toBe(204);
  });

  test('anchors no other device, nor revokes one: only the publisher does', async () => {
    const { vendor, product } = publisher;
    const more = someDevices(1);
    const message = anchoring(more);
    const thief = new Wallet(Wallet.createRandom().privateKey);
    const signature = await signedBy(thief, message);
    await anchorRefuses(message, signature, `ApprovalRefused(${vendor.account})`);
    await vendor.client.sendDeviceList(product, message.root, formatDeviceList(more));
    await expectCode('approval-invalid', () => vendor.client.anchorDevices(message, signature));
    const revocation = { registry: stack.info.registry, product, leaf: leafOf(first), deadline: inAnHour() };
    const by = await signAction(thief, stack.info, 'RevokeDevice', revocation);
    await expectCode('approval-invalid', () => vendor.client.revokeDevice(revocation, by));
    await refused(stack, deviceAnchor, 'revokeDevice', [...Object.values(revocation), by], 'ApprovalRefused');
  });
});

describe('A14 an approval of devices', () => {
  test('is for one chain, one registry, one product, one root, and once', async () => {
    const { wallet, vendor } = publisher;
    const message = anchoring(someDevices(3));
    const elsewhere = { ...stack.info, chainId: 1 };
    const who = `ApprovalRefused(${vendor.account})`;
    await anchorRefuses(message, await signedBy(wallet, message, elsewhere), who);
    const signature = await signedBy(wallet, message);
    await anchorRefuses({ ...message, count: 4 }, signature, who);
    await anchorRefuses({ ...message, deadline: message.deadline + 1 }, signature, who);
    await anchorRefuses(
      { ...message, registry: parseAddress(`0x${'77'.repeat(20)}`) },
      signature,
      `UnknownRegistry(0x${'77'.repeat(20)})`,
    );
    await call(stack, deviceAnchor, 'anchorDevices', [...Object.values(message), signature]);
    await anchorRefuses(message, signature, `AlreadyAnchored(${message.root})`);
  });

  test('dies with the configuration that it was made under, and with the publisher', async () => {
    const heir = await makeVendor(stack, { name: 'heir' });
    const seller = await makeVendor(stack, { name: 'sold' });
    const { vendor, wallet, product } = seller;
    const { root } = deviceTree(leavesOf({ product, devices }));
    const message = { ...anchoring(devices), product, root, count: devices.length };
    const signature = await signedBy(wallet, message);
    await vendor.client.follow((await vendor.configure(product, { publisher: heir.vendor.account })).id);
    const applied = await eventually(
      () => heir.vendor.applyConfiguration(product),
      () => true,
      'the change to be applied',
    );
    await heir.vendor.client.follow(applied.id);
    await anchorRefuses(message, signature, 'EpochMismatch(1,3)');
    const current = { ...message, epoch: 3 };
    await anchorRefuses(current, await signedBy(wallet, current), `ApprovalRefused(${heir.vendor.account})`);
    await call(stack, deviceAnchor, 'anchorDevices', [...Object.values(current), await signedBy(heir.wallet, current)]);
  });
});

describe('A21 a registry of somebody else', () => {
  test('speaks for no device of this one, whatever it says of the same product', async () => {
    const thief = new Wallet(Wallet.createRandom().privateKey);
    const registry = await deployLyingRegistry(thief.address);
    const rogue = someDevices(1) as [BatchDevice];
    const message = anchoring(rogue, { registry });
    await call(stack, deviceAnchor, 'anchorDevices', [...Object.values(message), await signedBy(thief, message)]);
    const { product } = publisher;
    const revocation = { registry, product, leaf: leafOf(first), deadline: inAnHour() };
    const signature = await signAction(thief, stack.info, 'RevokeDevice', revocation);
    await call(stack, deviceAnchor, 'revokeDevice', [...Object.values(revocation), signature]);

    // Something of this registry that comes later has been read: so has what came before.
    const marker = someDevices(1) as [BatchDevice];
    const { vendor } = publisher;
    await vendor.client.follow((await vendor.anchorDevices({ product, devices: marker })).id);
    await state(marker[0], 'anchored');
    await state(first, 'anchored');
    await state(rogue[0], 'unanchored');
    const roots = (await vendor.client.deviceBatches(product)).map(({ root }) => root);
    expect(roots).not.toContain(message.root);
    expect(await acceptedOnChain(stack, product, rogue[0], [])).toBe(false);
  });
});

/** Answers every question with: the publisher is this one, and the epoch is 1. */
async function deployLyingRegistry(publisher: string) {
  const runtime = `73${publisher.slice(2)}5f52600160a0526101805ff3`;
  const size = (runtime.length / 2).toString(16).padStart(2, '0');
  return withRelayer(stack, stack.directory, async (relayer) => {
    const sent = await relayer.sendTransaction({ data: `0x60${size}600a5f3960${size}5ff3${runtime}` });
    const receipt = await sent.wait();
    return parseAddress(receipt?.contractAddress ?? '');
  });
}

describe('A49 a server that shows other devices than it has approved', () => {
  test('is caught by who approves: the root is computed from the list', async () => {
    const [wallet, p256] = [walletSigner(), p256Signer()];
    const team = await makeTeam(stack, { signers: [wallet, p256, passkeySigner()] });
    const officer = await memberOf(team, p256);
    const proposal = await team.vendor.anchorDevices({ product: team.product, devices });
    const liar = await LyingServer.start(stack.url);
    try {
      const showing = (list: string | null) => ({
        answer: (request: IncomingMessage, response: ServerResponse) => {
          if (!request.url?.endsWith('/devices')) return false;
          const [code, title] = ['proposal-not-found', 'Not found'];
          const withheld = JSON.stringify({
            type: 'about:blank',
            title,
            status: 404,
            detail: title,
            code,
            hint: 'None.',
          });
          response.writeHead(list === null ? 404 : 200).end(list ?? withheld);
          return true;
        },
      });
      for (const list of [formatDeviceList(someDevices(8)), formatDeviceList(devices.slice(1)), 'nothing', null]) {
        const outcome = await liar.lying(showing(list), () =>
          officer.run('--server', liar.url, 'approve', proposal.id, '--yes', '--json'),
        );
        expect(JSON.parse(outcome.stderr)).toMatchObject({ code: 'server-lied' });
      }
      expect((await team.vendor.client.proposal(proposal.id)).approvals).toHaveLength(1);
    } finally {
      await liar.stop();
    }
    // A relayer that censors (A24) delays nothing: anybody sends what was approved.
    const rpc = createRpc(stack.rpcUrl);
    const relayer = await withRelayer(stack, stack.directory, async ({ address }) => address);
    const balance = await rpc<string>('eth_getBalance', [relayer, 'latest']);
    await rpc('anvil_setBalance', [relayer, '0x0']);
    await team.approve(proposal, p256);
    const { to, data } = relayFileOf(await team.vendor.client.exported(proposal.id), stack.info);
    expect(to).toBe(deviceAnchor.address);
    const anybody = Wallet.createRandom();
    await rpc('anvil_setBalance', [anybody.address, '0xde0b6b3a7640000']);
    await withRelayer(stack, stack.directory, async ({ provider }) => {
      await (await new Wallet(anybody.privateKey, provider).sendTransaction({ to, data })).wait();
    });
    expect(await team.settle(proposal)).toMatchObject({ state: 'confirmed' });
    await rpc('anvil_setBalance', [relayer, balance]);
  });
});
