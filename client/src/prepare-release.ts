import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import {
  type ActionMessage,
  anyOf,
  attestationDigest,
  bytes32OfDigest,
  FirmproofError,
  type ProductId,
  type Proposal,
  type ReleasePurpose,
  type Sbom,
  type Version,
} from '@firmproof/protocol';
import { type ImportedImage, importImage } from '@firmproof/protocol/node';
import type { FirmproofClient, UploadProgress } from './api-client.ts';
import { deadlineFromNow } from './approve.ts';
import type { Approved } from './approver.ts';
import { type Attest, buildStatement } from './attest.ts';
import { sizeOfImage } from './image-file.ts';

export type ReleaseOptions = {
  readonly product: ProductId;
  readonly version: Version;
  readonly hardware?: readonly string[];
  readonly precursors?: readonly string[];
  readonly notes?: string;
  /** What devices may treat apart; without it they take the release for a feature update. */
  readonly purpose?: ReleasePurpose;
  readonly rollbackIndex?: number;
  readonly sbom?: Sbom;
};

/** A release that is signed by its build system and that nobody has approved yet. */
export type AttestedRelease = {
  readonly image: ImportedImage;
  readonly attestation: string;
  readonly message: ActionMessage<'Publish'>;
};

/** Hashes the image, builds and signs the statement, and says what has to be approved. Sends nothing. */
export async function prepareRelease(
  client: FirmproofClient,
  imageFile: string,
  options: ReleaseOptions,
  attest: Attest,
  onProgress?: UploadProgress,
): Promise<AttestedRelease> {
  const { product, version } = options;
  const total = sizeOfImage(imageFile);
  const onHashed = onProgress && ((sizeBytes: number) => onProgress(sizeBytes, total));
  const image = await importImage(
    createReadStream(imageFile, { highWaterMark: 1 << 20 }),
    onHashed ? { onProgress: onHashed } : {},
  );
  const { topIndex, epoch } = await client.product(product);
  const rollbackIndex = options.rollbackIndex ?? topIndex;
  const statement = buildStatement(basename(imageFile), image.digest, {
    product,
    version,
    image: { cid: image.cid, sizeBytes: image.sizeBytes },
    rollbackIndex,
    hardware: [...(options.hardware ?? [anyOf])],
    precursors: [...(options.precursors ?? [anyOf])] as Version[],
    ...(options.notes !== undefined && { notes: options.notes }),
    ...(options.purpose && { purpose: options.purpose }),
    ...(options.sbom && { sbom: options.sbom }),
  });
  const attestation = await attest(statement);
  const message: ActionMessage<'Publish'> = {
    product,
    version,
    image: bytes32OfDigest(image.digest),
    attestation: bytes32OfDigest(attestationDigest(attestation)),
    rollbackIndex,
    epoch,
    deadline: deadlineFromNow(),
  };
  return { image, attestation, message };
}

/**
 * Sends a release, approved or not.
 * @throws FirmproofError `server-lied` when the server received other bytes than were sent
 */
export async function uploadRelease(
  client: FirmproofClient,
  imageFile: string,
  release: AttestedRelease & { readonly by: Approved },
  onProgress?: UploadProgress,
): Promise<Proposal> {
  const proposal = await client.publish(release, imageFile, onProgress);
  const { digest, cid, sizeBytes } = release.image;
  const said = proposal.image;
  if (said && (said.digest !== digest || said.cid !== cid || said.sizeBytes !== sizeBytes)) {
    throw new FirmproofError(
      'server-lied',
      'the server says that it received another image than the one that was sent',
    );
  }
  return proposal;
}
