import { buildStatement, keylessAttester } from '@firmproof/client';
import {
  type KeylessAttestation,
  parseAttestation,
  rawCidOf,
  sha256,
  sigstoreRootDigest,
  verifyAttestation,
} from '@firmproof/protocol';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testProduct } from '../../support/documents.ts';
import { OidcIssuer } from '../../support/oidc-issuer.ts';
import { SigstoreInstance } from '../../support/sigstore.ts';

let issuer: OidcIssuer;
let sigstore: SigstoreInstance;
beforeAll(async () => {
  issuer = await OidcIssuer.start();
  sigstore = await SigstoreInstance.start(issuer);
});
afterAll(async () => {
  await sigstore.stop();
  await issuer.stop();
});

const image = sha256(new TextEncoder().encode('image'));
const statement = buildStatement('image.bin', image, {
  product: testProduct as never,
  version: '1.0.0' as never,
  image: { cid: rawCidOf(image), sizeBytes: 5 },
  rollbackIndex: 0,
  hardware: ['*'],
  precursors: ['*'],
});

describe('a keyless attestation', () => {
  test('is verified by identity and issuer', async () => {
    const attest = keylessAttester(sigstore.services, async (audience) =>
      issuer.token({ aud: audience, sub: 'https://ci.example/job' }),
    );
    const attestation = parseAttestation(await attest(statement)) as KeylessAttestation;
    console.log(attestation.text);
    expect(await keylessVerifier(attestation, sigstore.trustedRoot)).toEqual({
      identity: 'https://ci.example/job',
      issuer: issuer.name,
    });
    const trust = {
      trustedRoot: sigstoreRootDigest(sigstore.trustedRoot),
      identities: [{ identity: 'https://ci.example/job', issuer: issuer.name }],
    };
    await verifyAttestation(
      attestation,
      { buildKeys: [], sigstore: trust, acceptedAttestations: [] },
      { verifier: keylessVerifier, trustedRoot: sigstore.trustedRoot },
    );
  });
});
