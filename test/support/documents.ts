import {
  type Attestation,
  attestationMediaType,
  keyIdOf,
  parseAttestation,
  parseTrustRoot,
  predicateType,
  rawCidOf,
  sha256,
  statementPayloadType,
  statementType,
  type TrustRoot,
  trustRootPayloadType,
  trustRootType,
} from '@firmproof/protocol';
import { ed25519Key, envelopeOf, p256Key, type TestKey } from './keys.ts';

export const testProduct = `0x${'ab'.repeat(32)}`;
const testRegistry = `0x${'cd'.repeat(20)}`;
const someImage = sha256(new TextEncoder().encode('image'));

/** A statement with everything in order, changed where a test wants it. */
export function statementOf(predicate: object, image: string = someImage): object {
  return {
    _type: statementType,
    subject: [{ name: 'firmware.bin', digest: { sha256: image } }],
    predicateType,
    predicate: {
      product: testProduct,
      version: '1.0.0',
      image: { cid: rawCidOf(someImage), sizeBytes: 5 },
      rollbackIndex: 0,
      hardware: ['*'],
      precursors: ['*'],
      ...predicate,
    },
  };
}

/** The statement signed into an attestation, and parsed. */
export function attestationOf(
  statement: object,
  key: TestKey,
  change: { payloadType?: string; hint?: string } = {},
): Attestation {
  const dsseEnvelope = envelopeOf(JSON.stringify(statement), change.payloadType ?? statementPayloadType, [key]);
  const hint = change.hint ?? keyIdOf(key.publicKey);
  return parseAttestation(
    JSON.stringify({
      mediaType: attestationMediaType,
      verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
      dsseEnvelope,
    }),
  );
}

/** A trust root with everything in order, changed where a test wants it, signed by the keys, and parsed. */
export function trustRootOf(change: object, keys: readonly TestKey[]): TrustRoot {
  const first = keys[0] ?? ed25519Key();
  const document = {
    type: trustRootType,
    version: 1,
    product: testProduct,
    name: 'test',
    chainId: 1,
    registry: testRegistry,
    maxAgeSeconds: 604_800,
    witnesses: { quorum: 1, members: [{ operator: 'a', publicKey: first.publicKey }] },
    buildKeys: [p256Key().publicKey],
    rootKeys: { threshold: 1, keys: [first.publicKey] },
    ...change,
  };
  return parseTrustRoot(JSON.stringify(envelopeOf(JSON.stringify(document), trustRootPayloadType, keys)));
}
