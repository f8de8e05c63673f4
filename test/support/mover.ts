import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ConfigurationChange,
  FirmproofClient,
  nextTrustRoot,
  SignerApprover,
  type TrustRootChange,
  Vendor,
  walletKey,
} from '@firmproof/client';
import {
  type AccountParameters,
  type ActionName,
  type Address,
  type ProductId,
  type Proposal,
  parsePublicKey,
  parseVersion,
  type TrustRoot,
} from '@firmproof/protocol';
import { Wallet } from 'ethers';
import { destroyStack, type Stack, stable, startStack, type TestVendor } from './stack.ts';
import {
  approvalsBy,
  deployAccount,
  p256Signer,
  parametersOf,
  passkeySigner,
  teamTypedData,
  walletSigner,
} from './team.ts';
import { travel } from './time.ts';

export const windowSeconds = 3600;

export const freshP256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
export const freshEd25519 = () => generateKeyPairSync('ed25519').privateKey;

export const witnessesOf = ({ info }: Stack): TrustRoot['witnesses'] => ({
  quorum: 2,
  members: info.witnesses.map(({ operator, publicKey }) => ({ operator, publicKey: parsePublicKey(publicKey) })),
});

/** A second chain, with a chain id of its own. */
export const startSecondStack = () => startStack(undefined, { FIRMPROOF_DEVELOPMENT_CHAIN_ID: '1337' });
export const destroyAll = (stacks: readonly Stack[]) => Promise.all(stacks.map(destroyStack));

/** Schedules a change, waits out the veto window on the chain, and applies it. */
async function change(stack: Stack, vendor: Vendor, product: ProductId, what: ConfigurationChange): Promise<void> {
  await vendor.client.follow((await vendor.configure(product, what)).id);
  await travel(stack, windowSeconds);
  await vendor.client.follow((await vendor.applyConfiguration(product)).id);
}

/** The next trust root of a vendor with one key, from the proposal to the chain. */
export async function rotate(
  stack: Stack,
  { vendor, product }: Pick<TestVendor, 'vendor' | 'product'>,
  current: TrustRoot,
  changes: readonly TrustRootChange[],
  rootKeys: readonly KeyObject[],
): Promise<TrustRoot> {
  const next = nextTrustRoot(current, changes, rootKeys);
  await change(stack, vendor, product, { trustRoot: next });
  return next;
}

/** Two of three keys: a wallet that proposes, a P-256 key that approves as well, a passkey that stays out of it. */
export class TestTeam {
  readonly parameters: AccountParameters;
  readonly #first = walletSigner();
  readonly #second = p256Signer();

  constructor() {
    this.parameters = parametersOf([this.#first, this.#second, passkeySigner()], 2);
  }

  /** The account on a stack's chain, and the one of them who speaks to its server. */
  async join(stack: Stack): Promise<{ readonly account: Address; readonly vendor: Vendor }> {
    const account = await deployAccount(stack, this.parameters);
    const key = walletKey(new Wallet(this.#first.wallet.privateKey));
    const approver = new SignerApprover(account, key, { epoch: async () => 1 });
    const { vendor } = await Vendor.login(new FirmproofClient({ server: stack.url }), approver);
    return { account, vendor };
  }

  /** The second approval; then it is followed to its end. */
  async approve(stack: Stack, { id, approver }: Proposal, action: ActionName): Promise<Proposal> {
    const client = new FirmproofClient({ server: stack.url });
    const { message } = await client.proposal(id);
    const at = { account: approver as Address, epoch: 1 };
    const [approval] = approvalsBy([this.#second], teamTypedData(stack.info, at, action, message as never));
    if (approval) await client.approve(id, approval);
    return client.follow(id);
  }

  /** Publishes and promotes with both keys. */
  async release(
    stack: Stack,
    vendor: Vendor,
    options: { product: ProductId; version: string; image: Buffer; buildKey: KeyObject; rollbackIndex?: number },
  ): Promise<void> {
    const { product, image, buildKey, rollbackIndex = 0 } = options;
    const version = parseVersion(options.version);
    const file = join(stack.directory, `${version}.bin`);
    writeFileSync(file, image);
    const prepared = await vendor.prepare(file, { product, version, rollbackIndex }, buildKey);
    await this.approve(stack, await vendor.upload(file, prepared), 'Publish');
    await this.approve(stack, await vendor.promote(product, stable, version), 'Promote');
  }
}
