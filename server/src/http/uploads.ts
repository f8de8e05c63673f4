import { type Address, attestationDigest, type ProductId, type Proposal } from '@firmproof/protocol';
import type { Request, Response } from 'express';
import type { Documents } from '../documents/documents.ts';
import type { ImageAccess } from '../images/image-access.ts';
import type { ImageStore } from '../images/image-store.ts';
import { receiveUpload } from '../images/upload.ts';
import type { Intake } from '../proposals/intake.ts';
import type { UploadQuota } from './upload-quota.ts';

/** Turns a multipart upload into a proposal: parts checked first, quota, image, pins, proposal; all or nothing. */
export function createUploads(options: {
  readonly store: ImageStore;
  readonly access: ImageAccess;
  readonly documents: Documents;
  readonly intake: Intake;
  readonly config: {
    readonly maximumImageBytes: number;
    readonly uploadStallSeconds: number;
  };
  readonly quota: UploadQuota;
}) {
  const { store, access, documents, intake, config, quota } = options;
  return async (
    request: Request,
    response: Response,
    sender: { product: ProductId; owner: Address },
  ): Promise<Proposal> => {
    const { product, owner } = sender;
    await quota.require(owner);
    const received = await receiveUpload(request, response, {
      store,
      maximumImageBytes: config.maximumImageBytes,
      stallMilliseconds: config.uploadStallSeconds * 1000,
      checkParts: (parts) => intake.checkRelease(product, parts),
    });
    const { image } = received;
    let checked: Awaited<ReturnType<Intake['checkImage']>>;
    try {
      await quota.count(owner, image.sizeBytes);
      checked = await intake.checkImage(product, received);
      const digest = attestationDigest(received.attestation);
      await documents.name(product, digest, image.digest, checked.predicate);
      await access.pin(product, image, { digest, text: received.attestation });
    } catch (error) {
      await image.discard();
      throw error;
    }
    // Pinned: from here on the database says who keeps the blocks, and what no proposal wants is dropped at the next start.
    image.release();
    return intake.publish(product, checked, image);
  };
}
