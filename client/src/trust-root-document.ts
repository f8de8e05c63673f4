import { type KeyObject, sign } from 'node:crypto';
import {
  type Envelope,
  keyIdOf,
  parseTrustRoot,
  preAuthenticationEncoding,
  type TrustRoot,
  type TrustRootDocument,
  trustRootPayloadType,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';

/**
 * Signs a trust root with root keys and checks the result as a device would.
 * @throws FirmproofError `trust-root-malformed`, `trust-root-signature-invalid`
 */
export function signTrustRoot(document: TrustRootDocument, rootKeys: readonly KeyObject[]): TrustRoot {
  const payload = Buffer.from(JSON.stringify(document));
  const message = preAuthenticationEncoding(trustRootPayloadType, payload);
  const signatures = rootKeys.map((key) => ({
    sig: sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', message, key).toString('base64'),
    keyid: keyIdOf(publicKeyOf(key)),
  }));
  const envelope: Envelope = { payload: payload.toString('base64'), payloadType: trustRootPayloadType, signatures };
  return parseTrustRoot(JSON.stringify(envelope));
}
