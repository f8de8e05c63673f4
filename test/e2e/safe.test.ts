// A Safe as publisher: the real contracts of @safe-global/safe-smart-account, from the login to the device.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofClient, firstTrustRoot, type PreparedRelease, Vendor } from '@firmproof/client';
import { releaseRegistryAbi } from '@firmproof/contracts';
import {
  type ActionMessage,
  type Address,
  type ProductId,
  parseProductName,
  parseSigner,
  parseVersion,
  sha256,
  type TrustRoot,
} from '@firmproof/protocol';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { refused } from '../support/relayer.ts';
import { deploySafe, ownersOf, SafeApprover } from '../support/safe.ts';
import { destroyStack, eventually, type Stack, stable, startStack } from '../support/stack.ts';

const randomWallet = () => new Wallet(`0x${randomBytes(32).toString('hex')}`);
const owners = [randomWallet(), randomWallet(), randomWallet()];
const image = randomBytes(400_000);
const buildKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rootKey = generateKeyPairSync('ed25519').privateKey;

let stack: Stack;
let safe: Address;
let vendor: Vendor<SafeApprover>;
let product: ProductId;
let trustRoot: TrustRoot;
let device: TestDevice;

/** The vendor with the same token, but with these owners' keys alone. */
const by = (...some: readonly Wallet[]) => Vendor.open(vendor.client, new SafeApprover(safe, some));
const signer = () => parseSigner(safe);

beforeAll(async () => {
  stack = await startStack();
  safe = await deploySafe(stack, owners, 2);
  const client = new FirmproofClient({ server: stack.url });
  ({ vendor } = await Vendor.login(client, new SafeApprover(safe, owners.slice(0, 2))));
  const name = parseProductName('safe-hub');
  product = vendor.productId(name);
  const { witnesses } = stack.info;
  const options = { name, witnesses, quorum: 2, maxAgeSeconds: 604_800, delaySeconds: 0 };
  trustRoot = firstTrustRoot(vendor, options, { build: buildKey, root: rootKey });
  device = makeDevice(trustRoot, [stack.url]);
  await client.follow((await vendor.register(name, trustRoot)).id);
});
afterAll(async () => {
  device.destroy();
  await destroyStack(stack);
});

async function prepared(version: string, as: Vendor<SafeApprover>) {
  const file = join(stack.directory, `safe-${version}.bin`);
  writeFileSync(file, version === '1.0.0' ? image : randomBytes(1000));
  return { file, release: await as.prepare(file, { product, version: parseVersion(version) }, buildKey) };
}

const argumentsOf = ({ message, by: signature }: PreparedRelease) => [...Object.values(message), signature];

test('it is a Safe, and it is the publisher', async () => {
  expect(await ownersOf(stack, safe)).toEqual(owners.map(({ address }) => address));
  expect(await vendor.client.product(product)).toMatchObject({ publisher: safe });
});

test('one owner alone does not log in', async () => {
  const alone = new SafeApprover(safe, owners.slice(0, 1));
  const client = new FirmproofClient({ server: stack.url });
  await expectCode('login-invalid', () => Vendor.login(client, alone));
});

test('two owners publish and promote, and the device installs', async () => {
  const { file, release } = await prepared('1.0.0', vendor);
  const proposal = await vendor.upload(file, release);
  expect(await vendor.client.follow(proposal.id)).toMatchObject({ state: 'confirmed', approver: safe });
  await vendor.client.follow((await vendor.promote(product, stable, parseVersion('1.0.0'))).id);
  await eventually(
    async () => (await device.check()).verdict,
    (verdict) => verdict.outcome === 'update',
    '1.0.0 to be offered',
  );
  expect(await device.install()).toMatchObject({ outcome: 'installed', version: '1.0.0' });
  expect(device.running()).toBe(sha256(image));
});

test('one owner alone is refused, by the server and by the registry', async () => {
  const { file, release } = await prepared('2.0.0', await by(owners[0] as Wallet));
  await expectCode('approval-invalid', () => vendor.upload(file, release));
  const registry = { address: stack.info.registry, abi: releaseRegistryAbi };
  await refused(stack, registry, 'publish', argumentsOf(release), `ApprovalRefused(${safe})`);
  // Nor the same owner twice, nor one owner and a stranger.
  for (const some of [
    [owners[0], owners[0]],
    [owners[0], randomWallet()],
  ] as Wallet[][]) {
    const other = await prepared('2.0.0', await by(...some));
    await refused(stack, registry, 'publish', argumentsOf(other.release), `ApprovalRefused(${safe})`);
  }
  await expectCode('release-not-found', () => vendor.client.release(product, parseVersion('2.0.0')));
});

test('a release is proposed first, and approved by the owners later', async () => {
  const { file, release } = await prepared('3.0.0', await by());
  const proposal = await vendor.upload(file, release);
  await eventually(
    () => vendor.client.proposal(proposal.id),
    (now) => now.state === 'approving' && now.reason?.code === 'approvals-missing',
    'it to wait for the owners',
  );
  const sign = async (...some: Wallet[]) => ({
    signer: signer(),
    signature: await new SafeApprover(safe, some).sign(
      stack.info,
      'Publish',
      proposal.message as ActionMessage<'Publish'>,
    ),
  });
  // Anybody may send one that is worth nothing: it changes nothing.
  await expectCode('approval-invalid', async () => vendor.client.approve(proposal.id, await sign(owners[1] as Wallet)));
  expect(await vendor.client.proposal(proposal.id)).toMatchObject({ state: 'approving' });
  await vendor.client.approve(proposal.id, await sign(...owners.slice(1)));
  expect(await vendor.client.follow(proposal.id)).toMatchObject({ state: 'confirmed' });
  await vendor.client.follow((await vendor.promote(product, stable, parseVersion('3.0.0'))).id);
  await eventually(
    async () => (await device.check()).verdict,
    (verdict) => verdict.outcome === 'update' && verdict.release.version === '3.0.0',
    '3.0.0 to be offered',
  );
});
