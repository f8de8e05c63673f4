import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import {
  type Enrolment,
  enrolmentTag,
  type ProductId,
  type PublicKey,
  type Receipt,
  receiptTag,
  type Sha256Digest,
  sha256,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { type MessageSigner, signMessage } from '@firmproof/protocol/node/message-signature';

export type SigningDevice = {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: PublicKey;
  readonly keyDigest: Sha256Digest;
  readonly signer: MessageSigner;
};

/** A device as a server sees it: an id and a key. */
export function signingDevice(
  algorithm: MessageSigner['algorithm'] = 'ed25519',
  id: string = randomUUID(),
): SigningDevice {
  const isEd25519 = algorithm === 'ed25519';
  const { privateKey } = isEd25519
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = publicKeyOf(privateKey);
  const keyDigest = sha256(Buffer.from(publicKey, 'base64'));
  const signer: MessageSigner = {
    algorithm,
    digest: keyDigest,
    sign: async (bytes) =>
      isEd25519 ? sign(null, bytes, privateKey) : sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
  return { id, privateKey, publicKey, keyDigest, signer };
}

/** A message of a device, ready to be sent, or to be spoilt first. */
export type DeviceMessage = { url: string; body: string; headers: Record<string, string> };

export const nowSeconds = () => Math.floor(Date.now() / 1000);

export async function deviceMessage(
  url: string,
  document: object,
  { signer }: Pick<SigningDevice, 'signer'>,
  options: { tag: string; createdSeconds?: number },
): Promise<DeviceMessage> {
  const body = JSON.stringify(document);
  const headers = await signMessage(url, body, signer, { createdSeconds: nowSeconds(), ...options });
  return { url, body, headers };
}

export const post = ({ url, body, headers }: DeviceMessage): Promise<Response> =>
  fetch(url, { method: 'POST', headers, body });

export const receiptOf = (device: SigningDevice, product: ProductId, change: Partial<Receipt> = {}): Receipt => ({
  receiptVersion: 1,
  product,
  device: device.id,
  counter: 1,
  time: nowSeconds(),
  kind: 'heartbeat',
  running: { version: '1.0.0' as never, image: null },
  seen: null,
  agentVersion: '1.0.0',
  ...change,
});

/** What devices say to one server about one product. */
export function speaking(server: string, product: ProductId) {
  const at = (path: string) => `${server}/v1/products/${product}/${path}`;
  return {
    receipt: (device: SigningDevice, change: Partial<Receipt> = {}, createdSeconds?: number) =>
      deviceMessage(at('receipts'), receiptOf(device, product, change), device, {
        tag: receiptTag,
        ...(createdSeconds !== undefined && { createdSeconds }),
      }),
    enrolment: (device: SigningDevice, change: Partial<Enrolment> = {}) =>
      deviceMessage(
        at('devices'),
        { device: device.id, publicKey: device.publicKey, hardware: 'rev-1', ...change },
        device,
        { tag: enrolmentTag },
      ),
  };
}
