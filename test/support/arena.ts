import { randomBytes } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstallResult } from '@firmproof/device-agent';
import {
  attestationDigest,
  type BlockStatement,
  type ErrorCode,
  parseVersion,
  type ReleasePredicate,
  sha256,
} from '@firmproof/protocol';
import { type ImportedImage, importImage } from '@firmproof/protocol/node';
import { expect } from 'vitest';
import { makeDevice, type TestDevice } from './device.ts';
import { type EvidenceDocument, LyingServer } from './lying-server.ts';
import { destroyStack, eventually, makeVendor, type Stack, stable, startStack, type TestVendor } from './stack.ts';
import { lyingCosignature, plantAttestation, promoteDirectly, publishDirectly } from './thief.ts';

/** A real server, a vendor, a device that runs 1.0.0 and could have 2.0.0, and a liar between them. */
export class Arena {
  readonly stack: Stack;
  readonly vendor: TestVendor;
  readonly liar: LyingServer;
  readonly device: TestDevice;
  readonly images: Readonly<Record<'1.0.0' | '2.0.0', Buffer>>;
  /** Genuine evidence of the time when 1.0.0 was the head. */
  old: EvidenceDocument;

  private constructor(stack: Stack, vendor: TestVendor, liar: LyingServer, images: Arena['images']) {
    this.stack = stack;
    this.vendor = vendor;
    this.liar = liar;
    this.images = images;
    this.device = makeDevice(vendor.trustRoot, [liar.url]);
  }

  static async open(
    environment: Record<string, string> = {},
    options: Parameters<typeof makeVendor>[1] = {},
  ): Promise<Arena> {
    const stack = await startStack(undefined, environment);
    const vendor = await makeVendor(stack, options);
    const liar = await LyingServer.start(stack.url);
    const arena = new Arena(stack, vendor, liar, { '1.0.0': randomBytes(1_200_000), '2.0.0': randomBytes(3_300_000) });
    await vendor.publish('1.0.0', arena.images['1.0.0']);
    await vendor.promote('1.0.0');
    await arena.offers('1.0.0');
    expect(await arena.device.install()).toMatchObject({ outcome: 'installed' });
    arena.old = await arena.evidence();
    await vendor.publish('2.0.0', arena.images['2.0.0']);
    await vendor.promote('2.0.0');
    await arena.offers('2.0.0');
    return arena;
  }

  async close(): Promise<void> {
    this.device.destroy();
    await this.liar.stop();
    await destroyStack(this.stack);
  }

  async evidence(): Promise<EvidenceDocument> {
    return JSON.parse(await this.vendor.vendor.client.evidence(this.vendor.product, stable));
  }

  /** Waits until the device's honest check comes to this code. */
  async seen(code: ErrorCode, device = this.device): Promise<void> {
    await eventually(
      async () => (await device.check()).verdict,
      (verdict) => verdict.outcome !== 'update' && verdict.code === code,
      code,
    );
  }

  /** Waits until this release, and no older one, is proven to the device as an update. */
  async offers(version: string, device = this.device): Promise<void> {
    await eventually(
      async () => (await device.check()).verdict,
      (verdict) => verdict.outcome === 'update' && verdict.release.version === version,
      `${version} to be offered`,
    );
  }

  /** The attack must be answered with exactly this code, and leave the device as it was. */
  async resists(code: ErrorCode, attack: () => Promise<InstallResult>, device = this.device): Promise<void> {
    const before = await device.fingerprint();
    const result = await attack();
    expect('code' in result ? result.code : result.outcome, 'message' in result ? result.message : '').toBe(code);
    expect(await device.fingerprint()).toEqual(before);
  }

  /** The device is none the worse: an honest server can still update it. */
  async recovers(): Promise<void> {
    expect(await this.device.install()).toMatchObject({ outcome: 'installed', version: '2.0.0' });
    expect(this.device.running()).toBe(sha256(this.images['2.0.0']));
  }

  cosign(...witnesses: readonly number[]) {
    return (block: BlockStatement) => witnesses.map((index) => lyingCosignature(this.stack.directory, index, block));
  }

  async imported(bytes: Buffer): Promise<ImportedImage & { readonly file: string }> {
    const file = join(this.stack.directory, `${sha256(bytes).slice(0, 12)}.bin`);
    writeFileSync(file, bytes);
    return { ...(await importImage(createReadStream(file))), file };
  }

  /** What a predicate about these bytes says when all is in order. */
  predicate(image: ImportedImage, version: string): ReleasePredicate {
    const { cid, sizeBytes } = image;
    return {
      product: this.vendor.product,
      version: parseVersion(version),
      image: { cid, sizeBytes },
      rollbackIndex: 0,
      hardware: ['*'],
      precursors: ['*'],
    };
  }

  /** Records an attestation on chain that the server would refuse, and makes it the head. */
  async recordPastTheServer(
    version: string,
    image: ImportedImage,
    attestation: string,
    rollbackIndex = 0,
  ): Promise<void> {
    const { stack, vendor } = this;
    plantAttestation(stack.directory, attestation);
    const stolen = { server: stack, directory: stack.directory, vendor: vendor.vendor };
    const release = { image: image.digest, attestation: attestationDigest(attestation), rollbackIndex };
    await publishDirectly(stolen, vendor.product, parseVersion(version), release);
    await promoteDirectly(stolen, vendor.product, parseVersion(version), stable);
    await eventually(
      () => this.evidence(),
      (evidence) => evidence.release?.attestation === attestation,
      'evidence of it',
    );
  }
}
