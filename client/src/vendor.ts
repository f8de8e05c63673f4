import type { KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type ActionMessage,
  anyOf,
  attestationDigest,
  bytes32OfDigest,
  type Channel,
  FirmproofError,
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
import { type ImportedImage, importImage } from '@firmproof/protocol/node';
import type { BaseWallet } from 'ethers';
import type { FirmproofClient, UploadProgress } from './api-client.ts';
import { deadlineFromNow, signAction, signLogin } from './approve.ts';
import { buildStatement, signAttestation } from './attest.ts';

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
};

export type PreparedRelease = {
  readonly image: ImportedImage;
  readonly attestation: string;
  readonly message: ActionMessage<'Publish'>;
  readonly signature: `0x${string}`;
};

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
    options: { guardian?: string; delaySeconds?: number } = {},
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
    );
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
    return { image, attestation, message, signature: await signAction(this.wallet, this.info, 'Publish', message) };
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

  async promote(
    product: ProductId,
    channel: Channel,
    version: Version,
    rollout: Rollout = everybodyAtOnce,
  ): Promise<Proposal> {
    const { channels, epoch } = await this.client.product(product);
    const message: ActionMessage<'Promote'> = {
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

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (cause) {
    throw new FirmproofError('file-not-found', `the image ${file} cannot be read`, { cause });
  }
}
