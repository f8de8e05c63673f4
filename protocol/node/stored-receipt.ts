import {
  type ProductId,
  type Receipt,
  type StoredReceipt,
  verifyStoredReceipt as verifySlowly,
} from '@firmproof/protocol';
import { verifyNatively } from './message-signature.ts';

/**
 * As `verifyStoredReceipt` of the protocol, several times as fast.
 * @throws FirmproofError `message-unsigned`, `message-signature-invalid`, `receipt-malformed`
 */
export const verifyStoredReceipt = (stored: StoredReceipt, product: ProductId): Receipt =>
  verifySlowly(stored, product, verifyNatively);
