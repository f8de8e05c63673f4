import {
  FirmproofError,
  type ProductId,
  parseReceipt,
  type Receipt,
  receiptTag,
  type StoredReceipt,
  sha256,
} from '@firmproof/protocol';
import { contentDigest, readMessageSignature, verifyMessage } from './message-signature.ts';

/**
 * What a device has signed, whoever has kept it since (S3.8 of docs/spec/receipts.md). That the key is a device of the vendor's
 * is the server's word, or the device anchor's.
 * @throws FirmproofError `message-unsigned`, `message-signature-invalid`, `receipt-malformed`
 */
export async function verifyStoredReceipt(stored: StoredReceipt, product: ProductId): Promise<Receipt> {
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
  if (keyDigest !== stored.keyDigest || sha256(Buffer.from(publicKey, 'base64')) !== keyDigest)
    throw new FirmproofError('message-signature-invalid', 'the receipt is given with another key than signed it');
  await verifyMessage({ path: `/v1/products/${product}/receipts`, headers, body }, publicKey);
  const receipt = parseReceipt(body);
  if (receipt.product !== product)
    throw new FirmproofError('receipt-malformed', 'the receipt is about another product');
  return receipt;
}
