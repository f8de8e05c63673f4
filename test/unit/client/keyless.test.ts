// Keyless attestations without chain and server: what the parser and the verifier make of them.
import { buildStatement, keylessAttester, keylessSigner } from '@firmproof/client';
import {
  type KeylessAttestation,
  type KeylessMeans,
  parseAdvisory,
  parseAttestation,
  parseRebuild,
  rawCidOf,
  type SigstoreTrust,
  sha256,
  sigstoreRootDigest,
  verifyAdvisory,
  verifyAttestation,
} from '@firmproof/protocol';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testProduct, trustRootOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { ed25519Key } from '../../support/keys.ts';
import { OidcIssuer } from '../../support/oidc-issuer.ts';
import { advisoryStatementOf, rebuildStatementOf } from '../../support/said-later.ts';
import { SigstoreInstance } from '../../support/sigstore.ts';

const image = sha256(new TextEncoder().encode('image'));
const statement = buildStatement('image.bin', image, {
  product: testProduct as never,
  version: '1.0.0' as never,
  image: { cid: rawCidOf(image), sizeBytes: 5 },
  rollbackIndex: 0,
  hardware: ['*'],
  precursors: ['*'],
});
const identity = 'https://ci.example/job';

let issuer: OidcIssuer;
let sigstore: SigstoreInstance;
let text: string;
let trust: SigstoreTrust;
let means: KeylessMeans;
beforeAll(async () => {
  issuer = await OidcIssuer.start();
  sigstore = await SigstoreInstance.start(issuer);
  text = await keylessAttester(sigstore.services, async (aud) => issuer.token({ aud, sub: identity }))(statement);
  trust = {
    trustedRoot: sigstoreRootDigest(sigstore.trustedRoot),
    identities: [
      { identity: 'somebody@example.com', issuer: issuer.name },
      { identity, issuer: 'https://elsewhere.example' },
      { identity, issuer: issuer.name },
    ],
  };
  means = { verifier: keylessVerifier, trustedRoot: sigstore.trustedRoot };
});
afterAll(async () => {
  await sigstore.stop();
  await issuer.stop();
});

const verify = (attestation: string, sigstoreTrust: SigstoreTrust | undefined = trust, by: KeylessMeans = means) =>
  verifyAttestation(
    parseAttestation(attestation),
    { buildKeys: [], sigstore: sigstoreTrust, acceptedAttestations: [] },
    by,
  );

// biome-ignore lint/suspicious/noExplicitAny: a forger edits whatever it likes.
const edited = (edit: (bundle: any) => void): string => {
  const bundle = JSON.parse(text);
  edit(bundle);
  return JSON.stringify(bundle);
};

describe('what is said later', () => {
  const signed = (document: object) =>
    keylessSigner(sigstore.services, async (aud) => issuer.token({ aud, sub: identity }))(
      Buffer.from(JSON.stringify(document)),
    );

  test('an advisory may be keyless, by the identities that may sign releases', async () => {
    const advisory = parseAdvisory(await signed(advisoryStatementOf()));
    const root = trustRootOf({ sigstore: trust }, [ed25519Key()]);
    await verifyAdvisory(advisory, root, means);
    await expectCode('keyless-unsupported', () => verifyAdvisory(advisory, root));
    const without = trustRootOf({}, [ed25519Key()]);
    await expectCode('keyless-unexpected', () => verifyAdvisory(advisory, without, means));
  });

  test('a rebuild may not: rebuilders are named by their keys', async () => {
    const rebuild = await signed(rebuildStatementOf());
    await expectCode('rebuild-malformed', () => parseRebuild(rebuild));
  });
});

describe('a keyless attestation', () => {
  test('tells who has signed, and is accepted for one of the named identities', async () => {
    const attestation = parseAttestation(text) as KeylessAttestation;
    expect(await keylessVerifier(attestation, sigstore.trustedRoot)).toEqual({ identity, issuer: issuer.name });
    await verify(text);
  });

  test('is refused where nothing can verify it, where no identity is named, and without the right trusted root', async () => {
    await expectCode('keyless-unsupported', () => verify(text, trust, {}));
    await expectCode('keyless-unsupported', () => verify(text, trust, { trustedRoot: sigstore.trustedRoot }));
    await expectCode('keyless-unexpected', () =>
      verifyAttestation(parseAttestation(text), { buildKeys: [], acceptedAttestations: [] }, means),
    );
    await expectCode('sigstore-root-missing', () => verify(text, trust, { ...means, trustedRoot: undefined }));
    await expectCode('sigstore-root-mismatch', () => verify(text, trust, { ...means, trustedRoot: '{}' }));
    const empty = { ...trust, trustedRoot: sigstoreRootDigest('{}') };
    await expectCode('sigstore-root-malformed', () => verify(text, empty, { ...means, trustedRoot: '{}' }));
  });

  test('is accepted by its digest where the trust root lists it, as one of a dropped key is', async () => {
    const { digest } = parseAttestation(text);
    await verifyAttestation(parseAttestation(text), { buildKeys: [], acceptedAttestations: [digest] });
  });

  test.each([
    [
      'key and certificate',
      (b) => {
        b.verificationMaterial.publicKey = { hint: 'AAAA' };
      },
    ],
    [
      'a chain instead of a certificate',
      (b) => {
        b.verificationMaterial.x509CertificateChain = { certificates: [b.verificationMaterial.certificate] };
        delete b.verificationMaterial.certificate;
      },
    ],
    [
      'certificate and chain',
      (b) => {
        b.verificationMaterial.x509CertificateChain = { certificates: [b.verificationMaterial.certificate] };
      },
    ],
    [
      'no material at all',
      (b) => {
        b.verificationMaterial = {};
      },
    ],
    [
      'a certificate that is no base64',
      (b) => {
        b.verificationMaterial.certificate.rawBytes = '*';
      },
    ],
    [
      'an entry of another kind',
      (b) => {
        b.verificationMaterial.tlogEntries[0].kindVersion.kind = 'hashedrekord';
      },
    ],
    [
      'five entries',
      (b) => {
        b.verificationMaterial.tlogEntries = Array(5).fill(b.verificationMaterial.tlogEntries[0]);
      },
    ],
    [
      'a negative time',
      (b) => {
        b.verificationMaterial.tlogEntries[0].integratedTime = '-1';
      },
    ],
    [
      'two signatures',
      (b) => {
        b.dsseEnvelope.signatures.push(b.dsseEnvelope.signatures[0]);
      },
    ],
    [
      'another version of the format',
      (b) => {
        b.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2';
      },
    ],
    // biome-ignore lint/suspicious/noExplicitAny: a forger edits whatever it likes.
  ] as readonly (readonly [string, (bundle: any) => void])[])('with %s is malformed', async (_, edit) => {
    await expectCode('attestation-malformed', () => parseAttestation(edited(edit)));
  });

  test('names no key', async () => {
    const named = edited((bundle) => {
      bundle.dsseEnvelope.signatures[0].keyid = 'AAAA';
    });
    await expectCode('attestation-keyid-mismatch', () => parseAttestation(named));
  });

  test('is read once: what Sigstore verifies is what was parsed', async () => {
    const decoy = edited((bundle) => {
      bundle.messageSignature = { messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' }, signature: 'AAAA' };
      bundle.dsse_envelope = { payload: '', payloadType: '', signatures: [] };
    });
    await verify(decoy);
    expect(parseAttestation(decoy).statement).toEqual(statement);
  });

  test('with any one byte changed is refused with a code, or means the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: text.length - 1 }), fc.integer({ min: 33, max: 126 }), async (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        try {
          await verify(changed);
        } catch (error) {
          expect(error).toMatchObject({ name: 'FirmproofError' });
          return;
        }
        expect(parseAttestation(changed).statement).toEqual(statement);
      }),
      { numRuns: 400 },
    );
  });

  test('with hostile bytes for a certificate, a timestamp or an entry is refused with a code', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((array) => Buffer.from(array).toString('base64'));
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom('certificate', 'timestamp', 'entry', 'promise'), async (junk, where) => {
        const hostile = edited(({ verificationMaterial }) => {
          const [entry] = verificationMaterial.tlogEntries;
          if (where === 'certificate') verificationMaterial.certificate.rawBytes = junk;
          if (where === 'entry') entry.canonicalizedBody = junk;
          if (where === 'promise') entry.inclusionPromise.signedEntryTimestamp = junk;
          if (where === 'timestamp')
            verificationMaterial.timestampVerificationData.rfc3161Timestamps[0].signedTimestamp = junk;
        });
        await expect(verify(hostile)).rejects.toMatchObject({ name: 'FirmproofError' });
      }),
      { numRuns: 200 },
    );
  });
});

describe('a trust root', () => {
  const key = ed25519Key();
  const named = { identity, issuer: 'https://ci.example' };
  const trustedRoot = sigstoreRootDigest('{}');
  test('may name identities instead of build keys', () => {
    expect(trustRootOf({ buildKeys: [], sigstore: { trustedRoot, identities: [named] } }, [key]).sigstore).toEqual({
      trustedRoot,
      identities: [named],
    });
  });
  test.each([
    ['nobody who may sign', { buildKeys: [] }],
    ['no identity', { sigstore: { trustedRoot, identities: [] } }],
    ['no trusted root', { sigstore: { identities: [named] } }],
    ['an identity without an issuer', { sigstore: { trustedRoot, identities: [{ identity }] } }],
    ['an empty issuer', { sigstore: { trustedRoot, identities: [{ identity, issuer: '' }] } }],
    ['an identity twice', { sigstore: { trustedRoot, identities: [named, named] } }],
    [
      '33 identities',
      { sigstore: { trustedRoot, identities: Array.from({ length: 33 }, (_, n) => ({ ...named, identity: `${n}` })) } },
    ],
  ])('with %s is refused', async (_, change) => {
    await expectCode('trust-root-malformed', () => trustRootOf(change, [key]));
  });
});
