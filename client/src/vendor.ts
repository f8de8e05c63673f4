import type { KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type ActionMessage,
  type ActionName,
  type Address,
  anyOf,
  attestationDigest,
  bytes32OfDigest,
  type Channel,
  type Envelope,
  FirmproofError,
  type ProductId,
  type ProductName,
  type Proposal,
  parseAddress,
  productIdOf,
  type Sbom,
  type ServerInfo,
  type TrustRoot,
  type Version,
  zeroAddress,
  zeroBytes32,
} from '@firmproof/protocol';
import { type ImportedImage, importImage } from '@firmproof/protocol/node';
import type { FirmproofClient, UploadProgress } from './api-client.ts';
import { deadlineFromNow } from './approve.ts';
import type { Approved, Approver } from './approver.ts';
import { buildStatement, signAttestation } from './attest.ts';
import { configurationHash, scheduledConfiguration } from './scheduled-configuration.ts';

/** How a rollout reaches the fleet. */
export type Rollout = {
  /** Seconds since 1970; 0 starts at once. */
  readonly start: number;
  readonly durationSeconds: number;
  readonly firstShareBasisPoints: number;
};

export const everybodyAtOnce: Rollout = { start: 0, durationSeconds: 0, firstShareBasisPoints: 10_000 };

export type ReleaseOptions = {
  readonly product: ProductId;
  readonly version: Version;
  readonly hardware?: readonly string[];
  readonly precursors?: readonly string[];
  readonly notes?: string;
  readonly rollbackIndex?: number;
  readonly sbom?: Sbom;
};

export type ConfigurationChange = {
  readonly publisher?: Address;
  readonly guardian?: Address;
  readonly delaySeconds?: number;
  readonly trustRoot?: TrustRoot;
};

export type PreparedRelease = {
  readonly image: ImportedImage;
  readonly attestation: string;
  readonly message: ActionMessage<'Publish'>;
  readonly by: Approved;
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

  /** Logs in and answers with the token, so that it can be kept. @throws FirmproofError `login-invalid` */
  static async login<By extends Approver>(client: FirmproofClient, approver: By) {
    const info = await client.info();
    const token = await client.login(await approver.login(client.server, info.chainId));
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
    return this.client.register(message, by, trustRoot.envelope, options.predecessor?.trustRoots);
  }

  /** Hashes the image, builds and signs statement and approval. Sends nothing. */
  async prepare(
    imageFile: string,
    options: ReleaseOptions,
    buildKey: KeyObject,
    onProgress?: UploadProgress,
  ): Promise<PreparedRelease> {
    const { product, version } = options;
    const total = await sizeOf(imageFile);
    const onHashed = onProgress && ((sizeBytes: number) => onProgress(sizeBytes, total));
    const image = await importImage(
      createReadStream(imageFile, { highWaterMark: 1 << 20 }),
      onHashed ? { onProgress: onHashed } : {},
    );
    const { topIndex, epoch } = await this.client.product(product);
    const rollbackIndex = options.rollbackIndex ?? topIndex;
    const statement = buildStatement(basename(imageFile), image.digest, {
      product,
      version,
      image: { cid: image.cid, sizeBytes: image.sizeBytes },
      rollbackIndex,
      hardware: [...(options.hardware ?? [anyOf])],
      precursors: [...(options.precursors ?? [anyOf])] as Version[],
      ...(options.notes !== undefined && { notes: options.notes }),
      ...(options.sbom && { sbom: options.sbom }),
    });
    const attestation = await signAttestation(statement, buildKey);
    const message: ActionMessage<'Publish'> = {
      product,
      version,
      image: bytes32OfDigest(image.digest),
      attestation: bytes32OfDigest(attestationDigest(attestation)),
      rollbackIndex,
      epoch,
      deadline: deadlineFromNow(),
    };
    return { image, attestation, message, by: await this.#approve('Publish', message) };
  }

  /** @throws FirmproofError `server-lied` when the server received other bytes than were sent */
  async upload(imageFile: string, prepared: PreparedRelease, onProgress?: UploadProgress): Promise<Proposal> {
    const proposal = await this.client.publish(prepared, imageFile, onProgress);
    const { digest, cid, sizeBytes } = prepared.image;
    const said = proposal.image;
    if (said && (said.digest !== digest || said.cid !== cid || said.sizeBytes !== sizeBytes)) {
      throw new FirmproofError(
        'server-lied',
        'the server says that it received another image than the one that was sent',
      );
    }
    return proposal;
  }

  /** Points a channel at a release. @throws FirmproofError `approval-counter` when the channel has moved meanwhile */
  async promote(
    product: ProductId,
    channel: Channel,
    version: Version,
    rollout: Rollout = everybodyAtOnce,
  ): Promise<Proposal> {
    const message = await this.#promotion(product, channel, version, rollout);
    return this.client.promote(message, await this.#approve('Promote', message));
  }

  /**
   * Collects approvals for the way back from the promotion that is made next, ahead of a bad night: `ahead` is 2 where only
   * that promotion lies between, 3 where a halt does too. Relayed only when somebody asks for it.
   */
  async prepareFallback(product: ProductId, channel: Channel, version: Version, ahead: 2 | 3): Promise<Proposal> {
    const next = await this.#promotion(product, channel, version, everybodyAtOnce);
    const message = { ...next, counter: next.counter + ahead - 1, deadline: deadlineFromNow(fallbackSeconds) };
    return this.client.promote(message, await this.#approve('Promote', message), { held: true });
  }

  async #promotion(
    product: ProductId,
    channel: Channel,
    version: Version,
    rollout: Rollout,
  ): Promise<ActionMessage<'Promote'>> {
    const { channels, epoch } = await this.client.product(product);
    return {
      product,
      channel,
      version,
      counter: (channels.find((head) => head.channel === channel)?.counter ?? 0) + 1,
      start: rollout.start,
      duration: rollout.durationSeconds,
      firstShare: rollout.firstShareBasisPoints,
      epoch,
      deadline: deadlineFromNow(),
    };
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
    return this.client.configure(message, await this.#approve('Configure', message), change.trustRoot?.envelope);
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

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (cause) {
    throw new FirmproofError('file-not-found', `the image ${file} cannot be read`, { cause });
  }
}
