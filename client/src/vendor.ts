import type { KeyObject } from 'node:crypto';
import {
  type ActionMessage,
  type ActionName,
  type Address,
  type Bytes32,
  bytes32OfDigest,
  type Channel,
  type DeviceBatch,
  type Envelope,
  FirmproofError,
  formatDeviceList,
  growDeviceTree,
  inSteps,
  leavesOf,
  type ProductId,
  type ProductName,
  type Proposal,
  parseAddress,
  productIdOf,
  type ServerInfo,
  type TokenScope,
  type TrustRoot,
  type Version,
  zeroAddress,
  zeroBytes32,
} from '@firmproof/protocol';
import type { FirmproofClient, UploadProgress } from './api-client.ts';
import { deadlineFromNow } from './approve.ts';
import type { Approved, Approver } from './approver.ts';
import { type Attest, signAttestation } from './attest.ts';
import { type AttestedRelease, prepareRelease, type ReleaseOptions, uploadRelease } from './prepare-release.ts';
import { everybodyAtOnce, promotionMessage, type Rollout } from './rollout.ts';
import { configurationHash, scheduledConfiguration } from './scheduled-configuration.ts';

export type PreparedRelease = AttestedRelease & { readonly by: Approved };

export type ConfigurationChange = {
  readonly publisher?: Address;
  readonly guardian?: Address;
  readonly delaySeconds?: number;
  readonly trustRoot?: TrustRoot;
  /** That the new trust root names, where the server does not know it yet. */
  readonly sigstoreTrustedRoot?: string;
};

/**
 * A vendor with its keys: signs everything here, on this machine, and uses a server only to carry it. What the server says
 * is compared with what was computed here. Where others have to approve too, proposals wait for them.
 */
export class Vendor<By extends Approver = Approver> {
  readonly client: FirmproofClient;
  readonly info: ServerInfo;
  readonly approver: By;

  private constructor(client: FirmproofClient, info: ServerInfo, approver: By) {
    this.client = client;
    this.info = info;
    this.approver = approver;
  }

  /** For work with a token that was got before. */
  static async open<By extends Approver>(client: FirmproofClient, approver: By): Promise<Vendor<By>> {
    return new Vendor(client, await client.info(), approver);
  }

  /**
   * Logs in and answers with the token, so that it can be kept.
   * @param ask.scopes What the token is for; where nothing is said, a person's daily work
   * @throws FirmproofError `login-invalid`
   */
  static async login<By extends Approver>(
    client: FirmproofClient,
    approver: By,
    ask: { readonly scopes?: readonly TokenScope[] | undefined } = {},
  ) {
    const info = await client.info();
    const login = await approver.login(client.server, info.chainId);
    const token = await client.login({ ...login, ...(ask.scopes && { scopes: [...ask.scopes] }) });
    return { vendor: new Vendor(client.withToken(token.token), info, approver), token };
  }

  /** Publisher of what is registered here; for a guardian, the guardian. */
  get account(): Address {
    return this.approver.account;
  }

  productId(name: ProductName): ProductId {
    return productIdOf(this.info.chainId, this.info.registry, this.account, name);
  }

  #approve<Name extends ActionName>(action: Name, message: ActionMessage<Name>): Promise<Approved> {
    return this.approver.approve(this.info, action, message);
  }

  async register(
    name: ProductName,
    trustRoot: TrustRoot,
    options: {
      guardian?: string;
      delaySeconds?: number;
      sigstoreTrustedRoot?: string | undefined;
      /** Where the product comes from, with every trust root before this one. */
      predecessor?: { product: ProductId; trustRoots: readonly Envelope[] };
    } = {},
  ): Promise<Proposal> {
    const message: ActionMessage<'Register'> = {
      publisher: this.account,
      name,
      guardian: parseAddress(options.guardian ?? zeroAddress),
      delay: options.delaySeconds ?? 0,
      trustRoot: bytes32OfDigest(trustRoot.digest),
      predecessor: options.predecessor?.product ?? zeroBytes32,
      deadline: deadlineFromNow(),
    };
    const by = await this.#approve('Register', message);
    const { sigstoreTrustedRoot, predecessor } = options;
    const more = { sigstoreTrustedRoot, trustRoots: predecessor?.trustRoots };
    return this.client.register(message, by, trustRoot.envelope, more);
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
    return { ...release, by: await this.#approve('Publish', release.message) };
  }

  /** @throws FirmproofError `server-lied` when the server received other bytes than were sent */
  upload(imageFile: string, prepared: PreparedRelease, onProgress?: UploadProgress): Promise<Proposal> {
    return uploadRelease(this.client, imageFile, prepared, onProgress);
  }

  /** Points a channel at a release. @throws FirmproofError `approval-counter` when the channel has moved meanwhile */
  async promote(
    product: ProductId,
    channel: Channel,
    version: Version,
    rollout: Rollout = everybodyAtOnce,
  ): Promise<Proposal> {
    const message = await promotionMessage(this.client, { product, channel, version, rollout });
    return this.client.promote(message, await this.#approve('Promote', message));
  }

  /**
   * Collects approvals for the way back from the promotion that is made next, ahead of a bad night: `ahead` is 2 where only
   * that promotion lies between, 3 where a halt does too. Relayed only when somebody asks for it.
   */
  async prepareFallback(product: ProductId, channel: Channel, version: Version, ahead: 2 | 3): Promise<Proposal> {
    const next = await promotionMessage(this.client, { product, channel, version, rollout: everybodyAtOnce });
    const message = { ...next, counter: next.counter + ahead - 1, deadline: deadlineFromNow(fallbackSeconds) };
    return this.client.promote(message, await this.#approve('Promote', message), { held: true });
  }

  async revoke(product: ProductId, version: Version): Promise<Proposal> {
    const message: ActionMessage<'Revoke'> = { product, version, deadline: deadlineFromNow() };
    return this.client.revoke(message, this.account, await this.#approve('Revoke', message));
  }

  async halt(product: ProductId, channel: Channel): Promise<Proposal> {
    const { halts } = await this.client.channel(product, channel);
    const message: ActionMessage<'Halt'> = { product, channel, halts: halts + 1, deadline: deadlineFromNow() };
    return this.client.halt(message, this.account, await this.#approve('Halt', message));
  }

  /**
   * Vouches for devices on chain, all of them in one transaction. The server gets their list first, for whoever approves too.
   * @throws FirmproofError `device-list-malformed`, `devices-anchored`
   */
  async anchorDevices({ product, devices }: DeviceBatch): Promise<Proposal> {
    const { root, count } = await inSteps(growDeviceTree(leavesOf({ product, devices })));
    const { epoch } = await this.client.product(product);
    await this.client.sendDeviceList(product, root, formatDeviceList(devices));
    const { registry } = this.info;
    const message = { registry, product, root, count, epoch, deadline: deadlineFromNow() };
    return this.client.anchorDevices(message, await this.#approve('AnchorDevices', message));
  }

  /** Vouches for a device no longer, for ever. @throws FirmproofError `device-revoked` when that is so already */
  async revokeDevice(product: ProductId, leaf: Bytes32): Promise<Proposal> {
    const message = { registry: this.info.registry, product, leaf, deadline: deadlineFromNow() };
    return this.client.revokeDevice(message, await this.#approve('RevokeDevice', message));
  }

  /** Schedules a change; what is not named stays. It is applied when the veto window is over. */
  async configure(product: ProductId, change: ConfigurationChange): Promise<Proposal> {
    const now = await this.client.product(product);
    const message: ActionMessage<'Configure'> = {
      product,
      publisher: change.publisher ?? now.publisher,
      guardian: change.guardian ?? now.guardian,
      delay: change.delaySeconds ?? now.delaySeconds,
      trustRoot: bytes32OfDigest(change.trustRoot?.digest ?? now.trustRoot),
      epoch: now.epoch,
      deadline: deadlineFromNow(),
    };
    const by = await this.#approve('Configure', message);
    return this.client.configure(message, by, change.trustRoot?.envelope, change.sigstoreTrustedRoot);
  }

  /**
   * Applies what is scheduled: anybody may, but where the publisher changes the new one accepts it with this.
   * @throws FirmproofError `nothing-scheduled`, `server-lied`
   */
  async applyConfiguration(product: ProductId): Promise<Proposal> {
    const { publisher, epoch, pending } = await this.client.product(product);
    const message = scheduledConfiguration(pending);
    if (message.publisher === publisher) return this.client.applyConfiguration(message);
    if (message.publisher !== this.account)
      throw new FirmproofError('approval-invalid', `${message.publisher} becomes the publisher, and has to accept it`);
    const acceptance: ActionMessage<'Accept'> = {
      product,
      publisher: this.account,
      epoch,
      deadline: deadlineFromNow(),
    };
    const by = await this.#approve('Accept', acceptance);
    return this.client.applyConfiguration(message, { message: acceptance, by });
  }

  /** The guardian's: what is scheduled is never applied. @throws FirmproofError `nothing-scheduled` */
  async veto(product: ProductId): Promise<Proposal> {
    const { pending } = await this.client.product(product);
    const message = {
      product,
      pending: configurationHash(scheduledConfiguration(pending)),
      deadline: deadlineFromNow(),
    };
    return this.client.veto(message, await this.#approve('Veto', message));
  }
}

/** How long the approvals for the way back are good for. */
const fallbackSeconds = 90 * 24 * 3600;
