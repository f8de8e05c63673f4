import * as z from 'zod';
import { bytesOfBase64 } from './bytes.ts';
import { sha256, sha256DigestSchema } from './digest.ts';
import { FirmproofError } from './errors.ts';
import { publicKeySchema } from './keys.ts';
import { contentDigest, readMessageSignature, type VerifyBytes, verifyMessage } from './message-signature.ts';
import type { ProductId } from './names.ts';
import { maximumMessageBytes, parseReceipt, type Receipt, receiptTag } from './receipt.ts';

/** A receipt as its device has signed it, with what it takes to check that without the server that kept it (S3.8). */
export const storedReceiptSchema = z
  .object({
    keyDigest: sha256DigestSchema,
    publicKey: publicKeySchema.meta({ description: 'Its sha-256 is the key digest.' }),
    body: z.string().max(maximumMessageBytes).meta({ description: 'The receipt, byte for byte as it was signed.' }),
    signatureInput: z.string().max(maximumMessageBytes),
    signature: z.string().max(maximumMessageBytes),
    receivedAt: z.int().min(0).meta({ description: 'Seconds since 1970, by the clock of the server.' }),
    cloneSuspected: z.boolean().meta({ description: 'Its counter had been used before: two devices have this key.' }),
  })
  .meta({ id: 'StoredReceipt', description: 'A receipt as its device has signed it.' });
export type StoredReceipt = z.infer<typeof storedReceiptSchema>;

/**
 * What a device has signed, whoever has kept it since (S3.8 of docs/spec/receipts.md). That the key is a device of the vendor's
 * is the server's word, or the device anchor's.
 * @throws FirmproofError `message-unsigned`, `message-signature-invalid`, `receipt-malformed`
 */
export function verifyStoredReceipt(stored: StoredReceipt, product: ProductId, verify?: VerifyBytes): Receipt {
  const { body, publicKey, signature, signatureInput } = stored;
  const headers = {
    'content-type': 'application/json',
    'content-digest': contentDigest(body),
    'signature-input': signatureInput,
    signature,
  };
  // Kept for years: its age says nothing any more.
  const ageless = { nowSeconds: Number.MAX_SAFE_INTEGER, maximumAgeSeconds: null };
  const { keyDigest } = readMessageSignature(headers, { tag: receiptTag, ...ageless });
  const key = bytesOfBase64(publicKey);
  if (keyDigest !== stored.keyDigest || key === null || sha256(key) !== keyDigest)
    throw new FirmproofError('message-signature-invalid', 'the receipt is given with another key than signed it');
  verifyMessage({ path: `/v1/products/${product}/receipts`, headers, body }, publicKey, verify);
  const receipt = parseReceipt(body);
  if (receipt.product !== product)
    throw new FirmproofError('receipt-malformed', 'the receipt is about another product');
  return receipt;
}
