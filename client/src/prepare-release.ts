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
  type Severity,
  type Version,
} from '@firmproof/protocol';
import { type ImportedImage, importImage } from '@firmproof/protocol/node';
import type { FirmproofClient, UploadProgress } from './api-client.ts';
import { deadlineFromNow } from './approve.ts';
import type { Approved } from './approver.ts';
import { type Attest, buildStatement } from './attest.ts';
import type { PreparedDocument, PreparedDocuments } from './documents/prepare-documents.ts';
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
  readonly documents?: PreparedDocuments;
  readonly severity?: Severity;
  /** CVE ids. */
  readonly fixedVulnerabilities?: readonly string[];
  /** YYYY-MM-DD */
  readonly supportUntil?: string;
  /** Software identification numbers of UN R156 that the image carries. */
  readonly rxswins?: readonly string[];
};

/** A release that is signed by its build system and that nobody has approved yet. */
export type AttestedRelease = {
  readonly image: ImportedImage;
  readonly attestation: string;
  readonly message: ActionMessage<'Publish'>;
  readonly documents: readonly PreparedDocument[];
  /** What a person should look at before approving. */
  readonly warnings: readonly string[];
};

/**
 * Hashes the image, builds and signs the statement, and says what has to be approved. Sends nothing.
 * @throws FirmproofError `provenance-subject` before anything is signed
 */
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
  const { topIndex, epoch, name } = await client.product(product);
  const warnings = options.documents?.requireAbout(image.digest, [product, name]) ?? [];
  const documents = options.documents?.files ?? [];
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
    ...(options.severity && { severity: options.severity }),
    ...(options.fixedVulnerabilities && { fixedVulnerabilities: [...options.fixedVulnerabilities] }),
    ...(options.supportUntil !== undefined && { supportUntil: options.supportUntil }),
    ...(options.rxswins && { rxswins: [...options.rxswins] }),
    ...(documents.length > 0 && { documents: documents.map(({ document }) => document) }),
    ...(options.documents?.sbom && { sbom: options.documents.sbom }),
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
  return { image, attestation, message, documents, warnings };
}

/**
 * Sends a release, approved or not, and before it the documents that it names.
 * @throws FirmproofError `server-lied` when the server received other bytes than were sent
 */
export async function uploadRelease(
  client: FirmproofClient,
  imageFile: string,
  release: AttestedRelease & { readonly by: Approved },
  onProgress?: UploadProgress,
): Promise<Proposal> {
  for (const { document, bytes } of release.documents) {
    const said = await client.sendDocument(release.message.product, bytes);
    if (said.digest !== document.digest || said.cid !== document.cid || said.sizeBytes !== document.sizeBytes)
      throw new FirmproofError(
        'server-lied',
        `the server says that it received another ${document.name} than was sent`,
      );
  }
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
