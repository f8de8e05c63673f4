import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { base64OfBytes, bytesOfBase64 } from './bytes.ts';
import { FirmproofError } from './errors.ts';

/**
 * Signatures of the webhooks that Firmproof sends, after Standard Webhooks: HMAC-SHA256 over id, time and body, so that
 * a receiver with any library for that form verifies them.
 */

const secretPrefix = 'whsec_';
/** As Standard Webhooks has it: shorter is guessed, longer gains nothing. */
const minimumSecretBytes = 24;
const maximumSecretBytes = 64;
const webhookToleranceSeconds = 300;
/** During a change of secrets a sender signs with both; more signatures than these are not looked at. */
const maximumSignatures = 10;

/** `whsec_` and the base64 of 24 to 64 random bytes. */
export const webhookSecretSchema = z
  .string()
  .refine((text) => secretBytes(text) !== null, 'is no secret: whsec_ and the base64 of 24 to 64 bytes')
  .brand<'WebhookSecret'>();
export type WebhookSecret = z.infer<typeof webhookSecretSchema>;

/** The three headers of a signed webhook, beside its content type. */
export type WebhookHeaders = {
  /** The same for every attempt to deliver one message: receivers drop what they have seen. */
  readonly 'webhook-id': string;
  /** Seconds since 1970, of this attempt. */
  readonly 'webhook-timestamp': string;
  /** One `v1,<base64>` for each secret, separated by spaces. */
  readonly 'webhook-signature': string;
};

/** The text of a secret. @throws FirmproofError `webhook-secret-invalid`, without showing anything of it */
export function parseWebhookSecret(text: string): WebhookSecret {
  const parsed = webhookSecretSchema.safeParse(text.trim());
  if (parsed.success) return parsed.data;
  throw new FirmproofError('webhook-secret-invalid', 'the secret of a webhook is not of the form whsec_<base64>');
}

/** A secret of the given random bytes (32 are good). @throws FirmproofError `webhook-secret-invalid` */
export function webhookSecretOf(randomBytes: Uint8Array): WebhookSecret {
  return parseWebhookSecret(`${secretPrefix}${base64OfBytes(randomBytes)}`);
}

/**
 * Signs one attempt to deliver a message.
 * @param message id without a full stop, which separates what is signed; time in seconds since 1970; the body as it is sent
 * @param secrets the current one first; two while receivers change over
 * @throws FirmproofError `webhook-malformed` for an id or a time that cannot be signed unambiguously
 */
export function signWebhook(
  message: { readonly id: string; readonly timestamp: number; readonly body: string },
  ...secrets: readonly [WebhookSecret, ...WebhookSecret[]]
): WebhookHeaders {
  const timestamp = String(message.timestamp);
  const content = signedContent(message.id, timestamp, message.body);
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => `v1,${base64OfBytes(codeOf(secret, content))}`).join(' '),
  };
}

/**
 * Checks a webhook as a receiver does.
 * @param received the three headers, null where one is missing, and the body as it came, before any parsing
 * @param secrets those that may have signed it
 * @param now seconds since 1970; what is more than five minutes away from it is refused as a replay
 * @returns the id, by which a message that comes twice is dropped
 * @throws FirmproofError `webhook-malformed`, `webhook-expired`, `webhook-signature-invalid`
 */
export function verifyWebhook(
  received: {
    readonly id: string | null;
    readonly timestamp: string | null;
    readonly signature: string | null;
    readonly body: string;
  },
  secrets: readonly WebhookSecret[],
  now: number,
): string {
  const { id, timestamp, signature, body } = received;
  if (id === null || timestamp === null || signature === null) {
    throw new FirmproofError('webhook-malformed', 'a header of the webhook is missing');
  }
  const content = signedContent(id, timestamp, body);
  if (Math.abs(now - Number(timestamp)) > webhookToleranceSeconds) {
    throw new FirmproofError('webhook-expired', `the webhook was signed at ${timestamp}, it is ${now}`);
  }
  const expected = secrets.map((secret) => codeOf(secret, content));
  for (const entry of signature.split(' ', maximumSignatures)) {
    const given = entry.startsWith('v1,') ? bytesOfBase64(entry.slice(3)) : null;
    if (given !== null && expected.some((code) => equal(code, given))) return id;
  }
  throw new FirmproofError('webhook-signature-invalid', 'no signature of the webhook is by a known secret');
}

function signedContent(id: string, timestamp: string, body: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(id)) {
    throw new FirmproofError('webhook-malformed', 'the id of a webhook is 1 to 128 letters, digits, "_" and "-"');
  }
  if (!/^(?:0|[1-9]\d{0,11})$/.test(timestamp)) {
    throw new FirmproofError('webhook-malformed', 'the time of a webhook is no whole number of seconds');
  }
  return utf8ToBytes(`${id}.${timestamp}.${body}`);
}

const codeOf = (secret: WebhookSecret, content: Uint8Array) =>
  hmac(sha256, secretBytes(secret) ?? new Uint8Array(), content);

function secretBytes(text: string): Uint8Array | null {
  if (!text.startsWith(secretPrefix)) return null;
  const bytes = bytesOfBase64(text.slice(secretPrefix.length));
  const fits = bytes !== null && bytes.length >= minimumSecretBytes && bytes.length <= maximumSecretBytes;
  return fits ? bytes : null;
}

/** Takes the same time wherever the two differ. */
function equal(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (const [index, byte] of one.entries()) difference |= byte ^ (other[index] ?? 0);
  return difference === 0;
}
