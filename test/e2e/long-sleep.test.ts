// A device sleeps through three trust roots, a new publisher and a move to another chain, and catches up untouched (A47).
import { randomBytes } from 'node:crypto';
import {
  addBuildKey,
  addWitness,
  changeRootKeys,
  dropBuildKey,
  dropWitness,
  liveAttestations,
  registerSuccessor,
} from '@firmproof/client';
import { install } from '@firmproof/device-agent';
import { type ProductId, sha256, type TrustRoot } from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { LyingServer } from '../support/lying-server.ts';
import {
  destroyAll,
  freshEd25519,
  freshP256,
  rotate,
  startSecondStack,
  TestTeam,
  windowSeconds,
  witnessesOf,
} from '../support/mover.ts';
import { cutPower, PowerCut } from '../support/power-cut.ts';
import { eventually, makeVendor, type Stack, stable, startStack, type TestVendor } from '../support/stack.ts';
import { travel } from '../support/time.ts';

let old: Stack;
let fresh: Stack;
let vendor: TestVendor;
/** The old name: it leads to the old server, and later to the new one. */
let name: LyingServer;
let awake: TestDevice;
let lost: TestDevice;
const images = { first: randomBytes(1_100_000), last: randomBytes(1_300_000) };
const team = new TestTeam();
let moved: TrustRoot;
const secondBuildKey = freshP256();

beforeAll(async () => {
  [old, fresh] = await Promise.all([startStack(), startSecondStack()]);
  vendor = await makeVendor(old, { name: 'sleeper', delaySeconds: windowSeconds });
  name = await LyingServer.start(old.url);
  awake = makeDevice(vendor.trustRoot, [name.url]);
  lost = makeDevice(vendor.trustRoot, [name.url]);
});
afterAll(async () => {
  awake.destroy();
  lost.destroy();
  await name.stop();
  await destroyAll([old, fresh]);
});

/** Evidence follows the chain by a moment. */
const offered = (device: TestDevice, version: string) =>
  eventually(
    async () => (await device.check()).verdict,
    (verdict) => verdict.outcome === 'update' && verdict.release.version === version,
    `${version} to be offered`,
  );

describe('before they sleep', () => {
  test('two devices run the first release, whose rollback index they will never go below', async () => {
    await vendor.publish('1.0.0', images.first, { rollbackIndex: 1 });
    await vendor.promote('1.0.0');
    await travel(old, windowSeconds);
    for (const device of [awake, lost]) {
      await offered(device, '1.0.0');
      expect(await device.install()).toMatchObject({ outcome: 'installed', version: '1.0.0' });
      expect(await device.status()).toMatchObject({ rollbackFloor: 1, trustRootVersion: 1 });
    }
  });
});

describe('while they sleep', () => {
  const secondRootKey = freshEd25519();
  let root: TrustRoot;

  test('a build key is dropped; what it signed stays acceptable', async () => {
    const { product, rootKey, trustRoot } = vendor;
    const dropped = publicKeyOf(vendor.buildKey);
    const live = await liveAttestations(vendor.vendor.client, product, dropped);
    expect(live.map(({ version }) => version)).toEqual(['1.0.0']);
    const accepted = live.map(({ attestation }) => attestation);
    const changes = [addBuildKey(publicKeyOf(secondBuildKey)), dropBuildKey(dropped, accepted)];
    root = await rotate(old, vendor, trustRoot, changes, [rootKey]);
    expect(root).toMatchObject({ version: 2, acceptedAttestations: accepted });
  });

  test('a witness is exchanged', async () => {
    const newcomer = { operator: 'newcomer', publicKey: publicKeyOf(freshEd25519()) };
    const changes = [dropWitness('witness-3'), addWitness(newcomer)];
    root = await rotate(old, vendor, root, changes, [vendor.rootKey]);
    expect(root.witnesses.members.map(({ operator }) => operator)).toEqual(['witness-1', 'witness-2', 'newcomer']);
  });

  test('the root keys are exchanged, with the signatures of both', async () => {
    const exchange = changeRootKeys({ threshold: 1, keys: [publicKeyOf(secondRootKey)] });
    await expectCode('trust-root-signature-invalid', () => rotate(old, vendor, root, [exchange], [vendor.rootKey]));
    await expectCode('trust-root-signature-invalid', () => rotate(old, vendor, root, [exchange], [secondRootKey]));
    root = await rotate(old, vendor, root, [exchange], [vendor.rootKey, secondRootKey]);
    expect(root.version).toBe(4);
  });

  test('a team becomes the publisher, and accepts it; the product keeps its id', async () => {
    const { account, vendor: member } = await team.join(old);
    const { product } = vendor;
    await vendor.vendor.client.follow((await vendor.vendor.configure(product, { publisher: account })).id);
    await expectCode('approval-invalid', () => vendor.vendor.applyConfiguration(product));
    // They may say so before the window is over: it is applied then.
    const accepted = team.approve(old, await member.applyConfiguration(product), 'Accept');
    await travel(old, windowSeconds);
    expect(await accepted).toMatchObject({ state: 'confirmed' });
    expect(await member.client.product(product)).toMatchObject({ publisher: account, trustRoot: root.digest });
    await expectCode('token-scope', () => vendor.vendor.revoke(product, '1.0.0' as never));
  });

  test('the team moves the product to a second chain, where it has another id', async () => {
    const { vendor: here } = await team.join(old);
    const { vendor: there } = await team.join(fresh);
    const { product } = vendor;
    const { next, proposal } = await registerSuccessor(there, {
      current: root,
      chain: await here.client.trustRoots(product),
      place: { witnesses: witnessesOf(fresh), servers: [fresh.url] },
      rootKeys: [secondRootKey],
      delaySeconds: windowSeconds,
    });
    await team.approve(fresh, proposal, 'Register');
    await team.approve(old, await here.configure(product, { trustRoot: next }), 'Configure');
    await travel(old, windowSeconds);
    await here.client.follow((await here.applyConfiguration(product)).id);
    expect(next).toMatchObject({ version: 5, chainId: 1337, registry: fresh.info.registry });
    expect(next.product).not.toBe(product);
    moved = next;
    const release = { version: '3.0.0', image: images.last, buildKey: secondBuildKey, rollbackIndex: 1 };
    await team.release(fresh, there, { product: next.product, ...release });
    await travel(fresh, windowSeconds);
    const scout = makeDevice(next, [fresh.url]);
    await offered(scout, '3.0.0');
    scout.destroy();
  });

  test('nothing more is published at the place that the product has left', async () => {
    const { vendor: here } = await team.join(old);
    const late = { product: vendor.product, version: '9.0.0', image: randomBytes(100), buildKey: secondBuildKey };
    await expectCode('product-moved', () => team.release(old, here, { ...late, rollbackIndex: 1 }));
  });
});

describe('a device that wakes while the old chain is alive', () => {
  test('walks five trust roots, leaves for the other chain and installs the newest release in one go', async () => {
    await eventually(
      async () => (await vendor.vendor.client.evidence(vendor.product, stable)).includes(moved.envelope.payload),
      Boolean,
      'the old chain to name the new place',
    );
    expect(await awake.install()).toMatchObject({ outcome: 'installed', version: '3.0.0' });
    expect(awake.running()).toBe(sha256(images.last));
    expect(await awake.status()).toMatchObject({ product: moved.product, trustRootVersion: 5, rollbackFloor: 1 });
    expect((await awake.check()).verdict).toMatchObject({ outcome: 'current', code: 'already-installed' });
  });
});

/** The power goes at this act of the catching up; then it comes back. */
async function wakesUpTwice(device: TestDevice, act: number, when: 'before' | 'after'): Promise<void> {
  const outcome = await device.act(async (agent) => {
    cutPower(agent, act, when);
    return install(agent).catch((error: unknown) => error);
  });
  expect(outcome).toBeInstanceOf(PowerCut);
  const { trustRootVersion, rollbackFloor } = await device.status();
  expect(trustRootVersion).toBeGreaterThanOrEqual(1);
  expect(rollbackFloor).toBe(1);
  await device.install();
  expect(await device.install()).toMatchObject({ outcome: 'current', code: 'already-installed' });
  expect(device.running()).toBe(sha256(images.last));
  expect(await device.status()).toMatchObject({ trustRootVersion: 5, rollbackFloor: 1 });
}

const floorOfOne = { image: { version: '0.0.1', rollbackIndex: 1, buildTimeSeconds: 1_700_000_000 } };

describe.each(['before', 'after'] as const)('a device whose power goes %s', (when) => {
  test.each([1, 2, 3, 4])('act %d of the catching up', async (act) => {
    const device = makeDevice(vendor.trustRoot, [old.url], floorOfOne);
    try {
      await wakesUpTwice(device, act, when);
    } finally {
      device.destroy();
    }
  });
});

describe('a device that wakes when the old chain is dead', () => {
  const verdict = async () => (await lost.check()).verdict;
  const ahead = { outcome: 'unproven', code: 'trust-root-ahead' };
  let before: object;

  test('is not led away by the server of the new place', async () => {
    const port = Number(new URL(name.url).port);
    await old.stop();
    await name.stop();
    name = await LyingServer.start(fresh.url, port);
    before = await lost.fingerprint();
    // The first question may still go to the old connection.
    await eventually(verdict, (now) => 'code' in now && now.code === ahead.code, ahead.code);
    expect(await lost.fingerprint()).toEqual(before);
  });

  test('which says where the product is now, to whoever asks', async () => {
    const ask = (path: string) => fetch(`${fresh.url}/v1/products/${vendor.product}${path}`);
    for (const path of ['', '/channels/stable/evidence']) {
      const answer = await ask(path);
      expect(answer.status).toBe(410);
      expect(await answer.json()).toMatchObject({ code: 'product-moved', details: { successor: moved.product } });
    }
    const { items } = (await (await ask(`/trust-roots?after=${vendor.trustRoot.digest}`)).json()) as {
      items: object[];
    };
    expect(items).toHaveLength(4);
  });

  test('waits for 90 days of its own time', async () => {
    lost.sleep(89);
    expect(await verdict()).toMatchObject(ahead);
    expect(await lost.fingerprint()).toEqual(before);
  });

  test('and then follows the signatures to the new chain, with its rollback index', async () => {
    lost.sleep(2);
    expect(await lost.install()).toMatchObject({ outcome: 'installed', version: '3.0.0' });
    expect(lost.running()).toBe(sha256(images.last));
    const product: ProductId = moved.product;
    expect(await lost.status()).toMatchObject({ product, trustRootVersion: 5, rollbackFloor: 1, daysInSilence: 0 });
  });

  test.each([1, 2, 3, 4, 5, 6])('and loses nothing when the power goes after act %d of that', async (act) => {
    const device = makeDevice(vendor.trustRoot, [fresh.url], floorOfOne);
    try {
      await device.check();
      device.sleep(91);
      await wakesUpTwice(device, act, 'after');
    } finally {
      device.destroy();
    }
  });

  test('a release of the new place below the floor is refused there as here', async () => {
    const { vendor: there } = await team.join(fresh);
    const low = { version: '4.0.0', image: randomBytes(900), buildKey: secondBuildKey, rollbackIndex: 0 };
    await team.release(fresh, there, { product: moved.product, ...low });
    await travel(fresh, windowSeconds);
    await eventually(
      async () => (await lost.check()).verdict,
      (now) => 'code' in now && now.code === 'below-rollback-floor',
      'below-rollback-floor',
    );
    expect(lost.running()).toBe(sha256(images.last));
  });
});
