import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { buildStatement, signAttestation } from '@firmproof/client';
import { parseAttestation, rawCidOf, sha256, verifyAttestation } from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { describe, expect, test } from 'vitest';
import { testProduct } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';

const image = sha256(new TextEncoder().encode('image'));
const statement = buildStatement('image.bin', image, {
  product: testProduct as never,
  version: '1.0.0' as never,
  image: { cid: rawCidOf(image), sizeBytes: 5 },
  rollbackIndex: 0,
  hardware: ['*'],
  precursors: ['*'],
});

/** Sigstore's own verifier, given the public key and nothing of the public transparency services. */
function verifierFor(key: KeyObject) {
  const publicKey = createPublicKey(key);
  const empty = TrustedRoot.fromJSON({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [],
    certificateAuthorities: [],
    ctlogs: [],
    timestampAuthorities: [],
  });
  const material = toTrustMaterial(empty, () => ({ publicKey, validFor: () => true }));
  return new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
}

describe('an attestation', () => {
  test.each([
    ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
    ['Ed25519', () => generateKeyPairSync('ed25519').privateKey],
  ])(
    'by a %s build key is accepted by this verifier and by Sigstore’s, and by both refused under another key',
    async (_, make) => {
      const key = make();
      const text = await signAttestation(statement, key);
      await verifyAttestation(parseAttestation(text), { buildKeys: [publicKeyOf(key)], acceptedAttestations: [] });
      const entity = toSignedEntity(bundleFromJSON(JSON.parse(text)));
      expect(verifierFor(key).verify(entity)).toBeDefined();
      expect(() => verifierFor(make()).verify(entity)).toThrow();
      await expectCode('attestation-key-unknown', () =>
        verifyAttestation(parseAttestation(text), { buildKeys: [publicKeyOf(make())], acceptedAttestations: [] }),
      );
    },
  );
});
