import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FirmproofClient,
  p256Key,
  type ReleaseOptions,
  SignerApprover,
  signTrustRoot,
  Vendor,
} from '@firmproof/client';
import {
  type AccountParameters,
  type Address,
  type ProductId,
  type Proposal,
  parseProductName,
  parseVersion,
  type Signer,
  trustRootType,
} from '@firmproof/protocol';
import { proposedTypedData, typedDataHash } from '@firmproof/protocol/approval';
import { publicKeyOf } from '@firmproof/protocol/node';
import type { Stack } from './stack.ts';
import { deployAccount, p256Signer, parametersOf, type TeamSigner, walletSigner } from './team.ts';

/** A vendor account of a wallet, a P-256 key in software and somebody's passkey, with a registered product. */
export class ApprovalTeam {
  readonly wallet = walletSigner();
  readonly hardware = p256Signer();
  readonly stack: Stack;
  readonly account: Address;
  readonly client: FirmproofClient;
  readonly product: ProductId;
  readonly #vendor: Vendor;
  readonly #buildKey: KeyObject;

  private constructor(parts: {
    stack: Stack;
    account: Address;
    vendor: Vendor;
    product: ProductId;
    buildKey: KeyObject;
    keys: Pick<ApprovalTeam, 'wallet' | 'hardware'>;
  }) {
    this.stack = parts.stack;
    this.account = parts.account;
    this.#vendor = parts.vendor;
    this.client = parts.vendor.client;
    this.product = parts.product;
    this.#buildKey = parts.buildKey;
    Object.assign(this, parts.keys);
  }

  /** @param passkeys of people in browsers, who join a wallet and a P-256 key */
  static async form(
    stack: Stack,
    passkeys: readonly Signer[],
    options: { readonly threshold?: number; readonly change?: Partial<AccountParameters>; readonly name?: string } = {},
  ): Promise<ApprovalTeam> {
    const keys = { wallet: walletSigner(), hardware: p256Signer() };
    const signers = [keys.wallet.signer, keys.hardware.signer, ...passkeys];
    const parameters = { ...parametersOf([], options.threshold ?? 2), signers, ...options.change };
    const account = await deployAccount(stack, parameters);
    const client = new FirmproofClient({ server: stack.url });
    const approver = new SignerApprover(account, p256Key(keys.hardware.privateKey), {
      epoch: async () => (await client.account(account)).epoch,
    });
    const { vendor } = await Vendor.login(client, approver);
    const buildKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const name = parseProductName(options.name ?? 'prime-hub');
    const product = vendor.productId(name);
    const team = new ApprovalTeam({ stack, account, vendor, product, buildKey, keys });
    const registration = await vendor.register(name, team.#trustRoot(name));
    await team.approve(registration, team.wallet);
    await team.client.follow(registration.id);
    return team;
  }

  #trustRoot(name: ReturnType<typeof parseProductName>) {
    const { chainId, registry, witnesses } = this.stack.info;
    const rootKey = generateKeyPairSync('ed25519').privateKey;
    return signTrustRoot(
      {
        type: trustRootType,
        version: 1,
        product: this.product,
        name,
        chainId,
        registry,
        maxAgeSeconds: 604_800,
        witnesses: {
          quorum: 2,
          members: witnesses.map(({ operator, publicKey }) => ({ operator, publicKey: publicKey as never })),
        },
        buildKeys: [publicKeyOf(this.#buildKey)],
        rootKeys: { threshold: 1, keys: [publicKeyOf(rootKey)] },
      },
      [rootKey],
    );
  }

  /** Approves with a key outside a browser, as the firmproof command does. */
  async approve(proposal: Proposal, by: TeamSigner): Promise<Proposal> {
    const { epoch } = await this.client.account(this.account);
    const typed = proposedTypedData(proposal, this.stack.info, { account: this.account, epoch });
    return this.client.approve(proposal.id, { signer: by.signer, signature: by.sign(typedDataHash(typed)) });
  }

  /** Uploads a release that nobody has approved yet; answers when it waits for approvals. */
  async propose(
    version: string,
    image: Buffer,
    options: Partial<ReleaseOptions> = {},
  ): Promise<{ readonly proposal: Proposal; readonly file: string }> {
    const file = join(this.stack.directory, `prime-hub-${version}.bin`);
    writeFileSync(file, image);
    const about = { product: this.product, version: parseVersion(version), ...options };
    const prepared = await this.#vendor.prepare(file, about, this.#buildKey);
    const { id } = await this.#vendor.upload(file, { ...prepared, by: { approvals: [] } });
    return { proposal: await this.client.follow(id, undefined, { untilItWaits: true }), file };
  }

  /** Publishes a release by the two keys outside a browser. */
  async publish(version: string, image: Buffer, options: Partial<ReleaseOptions> = {}): Promise<void> {
    const { proposal } = await this.propose(version, image, options);
    for (const signer of [this.wallet, this.hardware]) await this.approve(proposal, signer);
    await this.client.follow(proposal.id);
  }

  get vendor(): Vendor {
    return this.#vendor;
  }
}
