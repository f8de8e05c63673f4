// Products that succeed others: the chain of trust roots that they bring along, and what a server makes of claims.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  addBuildKey,
  FirmproofClient,
  moveTo,
  nextTrustRoot,
  signTrustRoot,
  Vendor,
  WalletApprover,
  walletKey,
} from '@firmproof/client';
import {
  type Envelope,
  parseProductName,
  type TrustRoot,
  type TrustRootDocument,
  trustRootType,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCode } from '../support/expect-code.ts';
import { freshP256, witnessesOf } from '../support/mover.ts';
import { destroyStack, makeVendor, type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => destroyStack(stack));

const name = parseProductName('wanderer');
const ed25519 = () => generateKeyPairSync('ed25519').privateKey;
const newVendor = async () => {
  const approver = new WalletApprover(walletKey(new Wallet(Wallet.createRandom().privateKey)));
  return (await Vendor.login(new FirmproofClient({ server: stack.url }), approver)).vendor;
};

/** A product of a chain that this server has never seen: only its trust roots are left. */
function lostProduct(rootKey: KeyObject, product = `0x${'77'.repeat(32)}`): readonly [TrustRoot, TrustRoot] {
  const document: TrustRootDocument = {
    type: trustRootType,
    version: 1,
    product: product as never,
    name,
    chainId: 5,
    registry: `0x${'55'.repeat(20)}` as never,
    maxAgeSeconds: 604_800,
    witnesses: witnessesOf(stack),
    buildKeys: [publicKeyOf(freshP256())],
    rootKeys: { threshold: 1, keys: [publicKeyOf(rootKey)] },
  };
  const first = signTrustRoot(document, [rootKey]);
  return [first, nextTrustRoot(first, [addBuildKey(publicKeyOf(freshP256()))], [rootKey])];
}

const successorOf = (vendor: Vendor, current: TrustRoot, rootKey: KeyObject) => {
  const { chainId, registry } = vendor.info;
  const place = { chainId, registry, product: vendor.productId(name), witnesses: witnessesOf(stack), servers: [] };
  return nextTrustRoot(current, [moveTo(place)], [rootKey]);
};

describe('registering a successor', () => {
  const rootKey = ed25519();
  const register = (vendor: Vendor, root: TrustRoot, product: TrustRoot['product'], trustRoots: readonly Envelope[]) =>
    vendor.register(name, root, { predecessor: { product, trustRoots } });

  test('needs the whole chain of trust roots, each step of it signed', async () => {
    const vendor = await newVendor();
    const [first, second] = lostProduct(rootKey);
    const third = successorOf(vendor, second, rootKey);
    const { product } = first;
    const [one, two] = [first.envelope, second.envelope];
    await expectCode('trust-root-version', () => vendor.register(name, third));
    await expectCode('trust-root-version', () => register(vendor, third, product, []));
    await expectCode('trust-root-version', () => register(vendor, third, product, [two]));
    await expectCode('trust-root-version', () => register(vendor, third, product, [one]));
    await expectCode('trust-root-version', () => register(vendor, third, product, [one, two, two]));
    await expectCode('trust-root-mismatch', () => register(vendor, third, `0x${'78'.repeat(32)}` as never, [one, two]));
    const [strangersFirst, strangersSecond] = lostProduct(ed25519());
    const strangers = [strangersFirst.envelope, strangersSecond.envelope];
    await expectCode('trust-root-signature-invalid', () => register(vendor, third, product, strangers));
    await expectCode('product-not-found', () => vendor.client.product(product));
    await vendor.client.follow((await register(vendor, third, product, [one, two])).id);
    expect(await vendor.client.product(third.product)).toMatchObject({ trustRoot: third.digest });
    await expectCode('product-moved', () => vendor.client.product(product));
    expect(await vendor.client.trustRoots(product)).toEqual([one, two, third.envelope]);
  });

  test('a product without a predecessor starts with version 1, and brings nothing along', async () => {
    const vendor = await newVendor();
    const [first, second] = lostProduct(rootKey, vendor.productId(name));
    const here = { chainId: vendor.info.chainId, registry: vendor.info.registry };
    const { digest: _digest, envelope: _envelope, ...document } = second;
    const root = signTrustRoot({ ...document, ...here }, [rootKey]);
    await expectCode('trust-root-version', () => vendor.register(name, root));
    expect(first.version).toBe(1);
  });

  test('a stranger who claims the same predecessor does not come between a device and its own chain', async () => {
    const product = `0x${'99'.repeat(32)}`;
    const [strangersKey, ownKey] = [ed25519(), ed25519()];
    const claims: TrustRoot[][] = [];
    for (const key of [strangersKey, ownKey]) {
      const vendor = await newVendor();
      const [first, second] = lostProduct(key, product);
      const third = successorOf(vendor, second, key);
      const proposal = await register(vendor, third, first.product, [first.envelope, second.envelope]);
      await vendor.client.follow(proposal.id);
      claims.push([first, second, third]);
    }
    const rootsAfter = async (digest: string) => {
      const answer = await fetch(`${stack.url}/v1/products/${product}/trust-roots?after=${digest}`);
      return (await answer.json()) as { items: Envelope[] };
    };
    for (const [first, second, third] of claims) {
      const digests = [first?.digest ?? '', second?.digest ?? ''];
      expect(await rootsAfter(digests[0] ?? '')).toEqual({ items: [second?.envelope, third?.envelope] });
      expect(await rootsAfter(digests[1] ?? '')).toEqual({ items: [third?.envelope] });
    }
    expect(await rootsAfter('ab'.repeat(32))).toEqual({ items: [] });
  });
});

describe('a trust root that was vetoed', () => {
  test('is no step on the way to the one that took its number', async () => {
    const { vendor, product, trustRoot, rootKey } = await makeVendor(stack, { name: 'twice' });
    const next = () => nextTrustRoot(trustRoot, [addBuildKey(publicKeyOf(freshP256()))], [rootKey]);
    const [dropped, taken] = [next(), next()];
    await vendor.client.follow((await vendor.configure(product, { trustRoot: dropped })).id);
    await vendor.client.follow((await vendor.configure(product, { trustRoot: taken })).id);
    await vendor.client.follow((await vendor.applyConfiguration(product)).id);
    expect(await vendor.client.trustRoots(product)).toEqual([trustRoot.envelope, taken.envelope]);
  });
});
