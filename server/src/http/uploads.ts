import { type Address, attestationDigest, FirmproofError, type ProductId, type Proposal } from '@firmproof/protocol';
import type { Request, Response } from 'express';
import type { Database } from '../database/database.ts';
import type { ImageAccess } from '../images/image-access.ts';
import type { ImageStore } from '../images/image-store.ts';
import { receiveUpload } from '../images/upload.ts';
import type { Intake } from '../proposals/intake.ts';

const secondsOfADay = 86_400;

/** Turns a multipart upload into a proposal: parts checked first, quota, image, pins, proposal; all or nothing. */
export function createUploads(options: {
  readonly database: Database;
  readonly store: ImageStore;
  readonly access: ImageAccess;
  readonly intake: Intake;
  readonly config: {
    readonly maximumImageBytes: number;
    readonly dailyUploadBytes: number;
    readonly uploadStallSeconds: number;
  };
  readonly nowSeconds: () => number;
}) {
  const { database, store, access, intake, config } = options;
  const today = () => Math.floor(options.nowSeconds() / secondsOfADay);

  async function uploadedToday(publisher: Address): Promise<bigint> {
    const row = await database
      .selectFrom('uploads')
      .select('bytes')
      .where('publisher', '=', publisher)
      .where('day', '=', today())
      .executeTakeFirst();
    return BigInt(row?.bytes ?? 0);
  }

  async function count(publisher: Address, sizeBytes: number): Promise<void> {
    const bytes = String((await uploadedToday(publisher)) + BigInt(sizeBytes));
    await database
      .insertInto('uploads')
      .values({ publisher, day: today(), bytes })
      .onConflict((conflict) => conflict.columns(['publisher', 'day']).doUpdateSet({ bytes }))
      .execute();
  }

  return async (
    request: Request,
    response: Response,
    sender: { product: ProductId; owner: Address },
  ): Promise<Proposal> => {
    const { product, owner } = sender;
    if ((await uploadedToday(owner)) >= BigInt(config.dailyUploadBytes)) {
      throw new FirmproofError('quota-exceeded', `${config.dailyUploadBytes} bytes a day may be uploaded`);
    }
    const received = await receiveUpload(request, response, {
      store,
      maximumImageBytes: config.maximumImageBytes,
      stallMilliseconds: config.uploadStallSeconds * 1000,
      checkParts: (parts) => intake.checkRelease(product, parts),
    });
    const { image } = received;
    let checked: Awaited<ReturnType<Intake['checkImage']>>;
    try {
      await count(owner, image.sizeBytes);
      checked = await intake.checkImage(product, received);
      await access.pin(product, image, { digest: attestationDigest(received.attestation), text: received.attestation });
    } catch (error) {
      await image.discard();
      throw error;
    }
    // Pinned: from here on the database says who keeps the blocks, and what no proposal wants is dropped at the next start.
    image.release();
    return intake.publish(product, checked, image);
  };
}
