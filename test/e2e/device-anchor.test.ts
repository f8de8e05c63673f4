import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { FirmproofClient, signAction } from '@firmproof/client';
import {
  type ActionMessage,
  type BatchDevice,
  type Bytes32,
  deviceAnchorAddress,
  deviceLeaf,
  deviceTree,
  formatDeviceList,
  leavesOf,
  type ProductId,
  parseAddress,
  parseSha256Digest,
  rootOfProof,
} from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inAnHour } from '../support/attacked-team.ts';
import { acceptedOnChain, someDevices } from '../support/devices.ts';
import { signingDevice } from '../support/enrolled-device.ts';
import { expectCode } from '../support/expect-code.ts';
import { destroyStack, eventually, makeVendor, type Stack, startStack, type TestVendor } from '../support/stack.ts';
import { p256Signer, passkeySigner, walletSigner } from '../support/team.ts';
import { type Member, memberOf } from '../support/team-home.ts';
import { makeTeam, type TeamVendor } from '../support/team-vendor.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => destroyStack(stack));

const leafOf = (product: ProductId, { keyDigest, salt }: BatchDevice) => deviceLeaf(product, keyDigest, salt);

describe('a thousand devices', () => {
  const devices = someDevices(1000);
  let one: TestVendor;
  let root: Bytes32;
  const device = (index: number) => devices[index] as BatchDevice;
  const stateOf = (index: number) =>
    one.vendor.client.deviceAnchorState(one.product, leafOf(one.product, device(index)));
  const message = (change: Partial<ActionMessage<'AnchorDevices'>> = {}): ActionMessage<'AnchorDevices'> => ({
    registry: stack.info.registry,
    product: one.product,
    root,
    count: 1000,
    epoch: 1,
    deadline: inAnHour(),
    ...change,
  });
  const propose = async (asked: ActionMessage<'AnchorDevices'>, info = stack.info) =>
    one.vendor.client.anchorDevices(asked, await signAction(one.wallet, info, 'AnchorDevices', asked));

  beforeAll(async () => {
    one = await makeVendor(stack);
    root = deviceTree(leavesOf({ product: one.product, devices })).root;
  });

  test('are proposed only with a list that anybody can look at', async () => {
    const { client } = one.vendor;
    await expectCode('device-list-missing', () => propose(message()));
    const list = formatDeviceList(devices);
    await expectCode('device-list-malformed', () => client.sendDeviceList(one.product, root, `${list}\n`));
    await expectCode('device-list-malformed', () =>
      client.sendDeviceList(one.product, root, formatDeviceList(devices.slice(1))),
    );
    await expectCode('device-list-missing', () => propose(message()));
    await client.sendDeviceList(one.product, root, list);
    await expectCode('device-list-malformed', () => propose(message({ count: 999 })));
    await expectCode('authentication-required', () =>
      new FirmproofClient({ server: stack.url }).sendDeviceList(one.product, root, list),
    );
  });

  test('are not proposed for another registry or epoch, nor with an approval for another chain', async () => {
    const registry = parseAddress(`0x${'12'.repeat(20)}`);
    await expectCode('approval-invalid', () => propose(message({ registry })));
    await expectCode('approval-epoch', () => propose(message({ epoch: 2 })));
    await expectCode('approval-invalid', () => propose(message(), { ...stack.info, chainId: 1 }));
    await expectCode('approval-expired', () => propose(message({ deadline: 1 })));
  });

  test('are not proposed where the contract is missing: a call to nothing would succeed', async () => {
    const rpc = createRpc(stack.rpcUrl);
    const code = await rpc<string>('eth_getCode', [deviceAnchorAddress, 'latest']);
    await rpc('anvil_setCode', [deviceAnchorAddress, '0x']);
    await expectCode('device-anchor-missing', () => propose(message()));
    await rpc('anvil_setCode', [deviceAnchorAddress, code]);
  });

  test('are anchored by one transaction, and each has a proof that the chain takes', async () => {
    const { vendor, product } = one;
    expect(await stateOf(0)).toEqual({ product, leaf: leafOf(product, device(0)), state: 'unanchored' });
    const proposal = await vendor.client.follow((await vendor.anchorDevices({ product, devices })).id);
    expect(proposal).toMatchObject({ kind: 'anchor-devices', state: 'confirmed' });
    await eventually(
      () => vendor.client.deviceBatches(product),
      ([batch]) => batch?.root === root && batch.count === 1000 && batch.isListed,
      'the batch in the index',
    );
    for (const index of [0, 500, 999]) {
      const { state, proof = [], leaf } = await stateOf(index);
      expect(state).toBe('anchored');
      expect(rootOfProof(leaf, proof)).toBe(root);
      expect(await acceptedOnChain(stack, product, device(index), proof)).toBe(true);
      expect(await acceptedOnChain(stack, product, device((index + 1) % 1000), proof)).toBe(false);
    }
  });

  test('are not anchored twice', () => expectCode('devices-anchored', () => propose(message())));

  test('lose one that is revoked, and no other', async () => {
    const { vendor, product, wallet } = one;
    const leaf = leafOf(product, device(7));
    const revocation = await vendor.revokeDevice(product, leaf);
    await vendor.client.follow(revocation.id);
    const { proof = [] } = await eventually(
      () => stateOf(7),
      ({ state }) => state === 'revoked',
      'the revocation in the index',
    );
    expect(await acceptedOnChain(stack, product, device(7), proof)).toBe(false);
    expect(await stateOf(8)).toMatchObject({ state: 'anchored' });
    const again = { registry: stack.info.registry, product, leaf, deadline: inAnHour() };
    const by = await signAction(wallet, stack.info, 'RevokeDevice', again);
    await expectCode('device-revoked', () => vendor.client.revokeDevice(again, by));
  });

  test('keep their proofs when the server starts again', async () => {
    const { directory } = stack;
    const before = await stateOf(3);
    await stack.stop();
    stack = await startStack(directory);
    const again = await fetch(`${stack.url}/v1/products/${one.product}/device-leaves/${before.leaf}`);
    expect(await again.json()).toEqual(before);
  });
});

describe('a team', () => {
  const [wallet, p256, passkey] = [walletSigner(), p256Signer(), passkeySigner()];
  const devices = someDevices(12);
  let team: TeamVendor;
  let factory: Member;
  let officer: Member;

  beforeAll(async () => {
    team = await makeTeam(stack, { signers: [wallet, p256, passkey] });
    factory = await memberOf(team, wallet);
    officer = await memberOf(team, p256);
  });

  function file(name: string, content: string): string {
    const path = join(stack.directory, name);
    writeFileSync(path, content);
    return path;
  }

  test('anchors a list of devices: proposed by one, looked at and approved by another', async () => {
    const list = file('devices.csv', formatDeviceList(devices));
    const proposed = await factory.json('device', 'anchor', 'team-product', '--from', list, '--yes');
    const { root } = deviceTree(leavesOf({ product: team.product, devices }));
    expect(proposed).toMatchObject({ product: team.product, root, count: 12, state: 'approving' });
    const { stderr, stdout, code } = await officer.run('approve', String(proposed['proposal']), '--yes', '--wait');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Vouch for 12 devices of team-product');
    expect(stderr).toContain('✓ The registry');
    expect(stderr).toContain('✓ The devices: The list of 12 devices has this Merkle root, computed here.');
    expect(stderr).toMatch(new RegExp(`Among them +${devices[0]?.device}.* and 9 more`));
    expect(stderr).toContain(root);
    expect(stdout).toContain('on chain');
  });

  test('takes the list as JSON, revokes a device by its id, and carries either without the server (A24)', async () => {
    const more = someDevices(3);
    const list = file('devices.json', JSON.stringify(more));
    const { proposal } = await factory.json('device', 'anchor', 'team-product', '--from', list, '--yes');
    await team.approve(await team.vendor.client.proposal(String(proposal)), p256);
    await team.settle(await team.vendor.client.proposal(String(proposal)));

    const [{ device, keyDigest, salt }] = more as [BatchDevice];
    const revoked = await factory.json('device', 'revoke', 'team-product', device, '--from', list, '--yes');
    const leaf = deviceLeaf(team.product, keyDigest, salt);
    expect(revoked).toMatchObject({ device, leaf, state: 'approving' });
    const { stderr, code } = await officer.run('approve', String(revoked['proposal']), '--yes', '--wait');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Revoke a device of team-product');
    expect(stderr).toContain(leaf);
    const exported = await factory.json('proposal', 'export', String(proposal), '--output', file('call.json', ''));
    expect(exported).toMatchObject({ kind: 'anchor-devices', chainId: stack.info.chainId });
    await eventually(
      () => team.vendor.client.deviceAnchorState(team.product, leaf),
      ({ state }) => state === 'revoked',
      'the revocation in the index',
    );
  });

  test('anchors what is enrolled and not anchored yet, without a file, and revokes a device by its id', async () => {
    const { client } = team.vendor;
    const enrolled = [signingDevice(), signingDevice(), signingDevice()] as const;
    const [known, ...others] = enrolled;
    const lines = enrolled.map(({ id, publicKey }) => `${id},${publicKey}\n`);
    await client.importDevices(team.product, Readable.from([Buffer.from(`device,publicKey\n${lines.join('')}`)]));
    const { salt, leaf: firstLeaf } = await client.anchoredDevice(team.product, known.id);
    const listed: BatchDevice = { device: known.id, keyDigest: parseSha256Digest(known.keyDigest), salt };
    expect(firstLeaf).toBe(leafOf(team.product, listed));
    const first = await team.vendor.anchorDevices({ product: team.product, devices: [listed] });
    await team.approve(first, p256);
    await team.settle(first);
    await eventually(
      () => client.anchoredDevice(team.product, known.id),
      ({ state }) => state === 'anchored',
      'the first of them',
    );

    const proposed = await factory.json('device', 'anchor', 'team-product', '--yes');
    expect(proposed).toMatchObject({ count: others.length, state: 'approving' });
    await team.approve(await client.proposal(String(proposed['proposal'])), p256);
    await team.settle(await client.proposal(String(proposed['proposal'])));
    for (const { id } of others)
      await eventually(
        () => client.anchoredDevice(team.product, id),
        ({ state, root }) => state === 'anchored' && root === String(proposed['root']),
        'the others',
      );
    expect(await factory.json('device', 'anchor', 'team-product', '--yes')).toEqual({
      product: team.product,
      count: 0,
    });

    const { leaf } = await client.anchoredDevice(team.product, known.id);
    const revoked = await factory.json('device', 'revoke', 'team-product', known.id, '--yes');
    expect(revoked).toMatchObject({ leaf, state: 'approving' });
    await team.approve(await client.proposal(String(revoked['proposal'])), p256);
    await eventually(
      () => client.device(team.product, known.id),
      ({ state, revokedOnChain }) => state === 'revoked' && revokedOnChain,
      'the revocation',
    );
    expect(await client.fleet(team.product)).toMatchObject({ enrolled: others.length, revoked: 1 });
    const twice = await factory.run('device', 'revoke', 'team-product', known.id, '--yes', '--json');
    expect(JSON.parse(twice.stderr)).toMatchObject({ code: 'device-revoked', hint: 'Nothing is left to do.' });
  });

  test.each([
    [['anchor', 'team-product', '--from', '/nowhere.csv', '--yes'], 'file-not-found'],
    [['anchor', 'team-product', '--from', '/etc/hostname', '--yes'], 'device-list-malformed'],
  ])('%j ends with what is wrong', async (args, code) => {
    const outcome = await factory.run('device', ...args, '--json');
    expect(JSON.parse(outcome.stderr)).toMatchObject({ code });
    expect(outcome.code).toBe(2);
  });
});

test('a list that nobody has proposed is gone after the next start', async () => {
  const one = await makeVendor(stack);
  const devices = someDevices(2);
  const { root } = deviceTree(leavesOf({ product: one.product, devices }));
  await one.vendor.client.sendDeviceList(one.product, root, formatDeviceList(devices));
  await stack.stop();
  stack = await startStack(stack.directory);
  const asked = {
    registry: stack.info.registry,
    product: one.product,
    root,
    count: 2,
    epoch: 1,
    deadline: inAnHour(),
  };
  const again = new FirmproofClient({ server: stack.url });
  const token = await again.login(await one.vendor.approver.login(stack.url, stack.info.chainId));
  const by = await signAction(one.wallet, stack.info, 'AnchorDevices', asked);
  await expectCode('device-list-missing', () => again.withToken(token.token).anchorDevices(asked, by));
});
