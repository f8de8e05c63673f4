import type { KeyObject } from 'node:crypto';
import {
  type ActionMessage,
  bytes32OfDigest,
  type Channel,
  type ProductId,
  type ProductName,
  type Proposal,
  parseAddress,
  productIdOf,
  type ServerInfo,
  type TrustRoot,
  type Version,
  zeroAddress,
  zeroBytes32,
} from '@firmproof/protocol';
import type { BaseWallet } from 'ethers';
import type { FirmproofClient, UploadProgress } from './api-client.ts';
import { deadlineFromNow, signAction, signLogin } from './approve.ts';
import { type Attest, signAttestation } from './attest.ts';
import { type AttestedRelease, prepareRelease, type ReleaseOptions, uploadRelease } from './prepare-release.ts';
import { everybodyAtOnce, promotionMessage, type Rollout } from './rollout.ts';

export type PreparedRelease = AttestedRelease & { readonly signature: `0x${string}` };

/**
 * A vendor with its keys: signs everything here, on this machine, and uses a server only to carry it. What the server says
 * is compared with what was computed here.
 */
export class Vendor {
  readonly client: FirmproofClient;
  readonly info: ServerInfo;
  readonly wallet: BaseWallet;

  private constructor(client: FirmproofClient, info: ServerInfo, wallet: BaseWallet) {
    this.client = client;
    this.info = info;
    this.wallet = wallet;
  }

  /** For work with a token that was got before. */
  static async open(client: FirmproofClient, wallet: BaseWallet): Promise<Vendor> {
    return new Vendor(client, await client.info(), wallet);
  }

  /** Logs in and answers with the token, so that it can be kept. @throws FirmproofError `login-invalid` */
  static async login(client: FirmproofClient, wallet: BaseWallet) {
    const info = await client.info();
    const { message, signature } = await signLogin(wallet, client.server, info.chainId);
    const token = await client.login(message, signature);
    return { vendor: new Vendor(client.withToken(token.token), info, wallet), token };
  }

  productId(name: ProductName): ProductId {
    return productIdOf(this.info.chainId, this.info.registry, parseAddress(this.wallet.address), name);
  }

  async register(
    name: ProductName,
    trustRoot: TrustRoot,
    options: { guardian?: string; delaySeconds?: number; sigstoreTrustedRoot?: string } = {},
  ): Promise<Proposal> {
    const message: ActionMessage<'Register'> = {
      publisher: parseAddress(this.wallet.address),
      name,
      guardian: parseAddress(options.guardian ?? zeroAddress),
      delay: options.delaySeconds ?? 0,
      trustRoot: bytes32OfDigest(trustRoot.digest),
      predecessor: zeroBytes32,
      deadline: deadlineFromNow(),
    };
    return this.client.register(
      message,
      await signAction(this.wallet, this.info, 'Register', message),
      trustRoot.envelope,
      options.sigstoreTrustedRoot,
    );
  }

  /** Hashes the image, builds and signs statement and approval. Sends nothing. */
  async prepare(
    imageFile: string,
    options: ReleaseOptions,
    attester: KeyObject | Attest,
    onProgress?: UploadProgress,
  ): Promise<PreparedRelease> {
    const attest: Attest =
      typeof attester === 'function' ? attester : (statement) => signAttestation(statement, attester);
    const release = await prepareRelease(this.client, imageFile, options, attest, onProgress);
    return { ...release, signature: await signAction(this.wallet, this.info, 'Publish', release.message) };
  }

  /** @throws FirmproofError `server-lied` when the server received other bytes than were sent */
  upload(imageFile: string, prepared: PreparedRelease, onProgress?: UploadProgress): Promise<Proposal> {
    return uploadRelease(this.client, imageFile, prepared, onProgress);
  }

  async promote(
    product: ProductId,
    channel: Channel,
    version: Version,
    rollout: Rollout = everybodyAtOnce,
  ): Promise<Proposal> {
    const message = await promotionMessage(this.client, { product, channel, version, rollout });
    return this.client.promote(message, await signAction(this.wallet, this.info, 'Promote', message));
  }

  async revoke(product: ProductId, version: Version): Promise<Proposal> {
    const message: ActionMessage<'Revoke'> = { product, version, deadline: deadlineFromNow() };
    return this.client.revoke(
      message,
      parseAddress(this.wallet.address),
      await signAction(this.wallet, this.info, 'Revoke', message),
    );
  }

  async halt(product: ProductId, channel: Channel): Promise<Proposal> {
    const { halts } = await this.client.channel(product, channel);
    const message: ActionMessage<'Halt'> = { product, channel, halts: halts + 1, deadline: deadlineFromNow() };
    return this.client.halt(
      message,
      parseAddress(this.wallet.address),
      await signAction(this.wallet, this.info, 'Halt', message),
    );
  }
}
