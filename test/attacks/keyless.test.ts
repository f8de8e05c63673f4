// Keyless attestations (A29, A30): who signs with a certificate of the moment has to be the one that the trust root names, and
// everything that proves it has to be there. Each is recorded on chain past the server; the device alone refuses it.
import { randomBytes } from 'node:crypto';
import {
  type Attest,
  attest,
  buildStatement,
  keylessAttester,
  type SigstoreServices,
  sigstoreWitnesses,
} from '@firmproof/client';
import {
  type ErrorCode,
  type KeylessAttestation,
  parseAttestation,
  parseVersion,
  type Sha256Digest,
  sigstoreRootDigest,
} from '@firmproof/protocol';
import type { ImportedImage } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { expectCode } from '../support/expect-code.ts';
import { type Claims, github, githubRun, OidcIssuer } from '../support/oidc-issuer.ts';
import { SigstoreInstance } from '../support/sigstore.ts';
import { makeVendor } from '../support/stack.ts';

const run = githubRun();
let issuer: OidcIssuer;
let stranger: OidcIssuer;
let sigstore: SigstoreInstance;
/** Another instance, as anybody can run one: it certifies whatever its owner likes. */
let forger: SigstoreInstance;
let arena: Arena;

beforeAll(async () => {
  issuer = await OidcIssuer.start(github);
  stranger = await OidcIssuer.start('https://oidc.stranger.example');
  sigstore = await SigstoreInstance.start(issuer, stranger);
  forger = await SigstoreInstance.start(issuer);
  const trust = {
    trustedRoot: sigstoreRootDigest(sigstore.trustedRoot),
    identities: [{ identity: run.identity, issuer: github }],
  };
  arena = await Arena.open({}, { signers: { sigstore: trust }, sigstoreTrustedRoot: sigstore.trustedRoot });
});
afterAll(async () => {
  await arena.close();
  for (const service of [forger, sigstore, stranger, issuer]) await service.stop();
});

type From = { readonly issuer?: OidcIssuer; readonly claims?: Claims; readonly services?: SigstoreServices };

/** CI's own way to sign, from somewhere. */
const attester = (from: From = {}): Attest =>
  keylessAttester(from.services ?? sigstore.services, async (aud) =>
    (from.issuer ?? issuer).token({ ...run.claims, iss: (from.issuer ?? issuer).name, ...from.claims, aud }),
  );

const statementOf = (image: ImportedImage, version: string) =>
  buildStatement('image.bin', image.digest as Sha256Digest, arena.predicate(image, version));

// biome-ignore lint/suspicious/noExplicitAny: a forger edits whatever it likes.
type Bundle = any;
const edited = (text: string, edit: (bundle: Bundle) => void): string => {
  const bundle = JSON.parse(text);
  edit(bundle);
  return JSON.stringify(bundle);
};

let count = 0;
const nextVersion = () => `3.0.${count++}`;

/** Records an attestation that is made for a fresh image, and waits for the device to see it. */
async function recorded(make: (image: ImportedImage, version: string) => Promise<string>): Promise<void> {
  const version = nextVersion();
  const image = await arena.imported(randomBytes(600));
  await arena.recordPastTheServer(version, image, await make(image, version));
}

async function refused(code: ErrorCode, make: (image: ImportedImage, version: string) => Promise<string>) {
  await recorded(make);
  await arena.seen(code);
  await arena.resists(code, () => arena.device.install());
}

const signedFrom = (from: From) => (image: ImportedImage, version: string) =>
  attester(from)(statementOf(image, version));

describe('a keyless attestation is refused', () => {
  const other = (workflow: string): Claims => ({ job_workflow_ref: workflow });
  test.each([
    ['of another workflow', other('acme/lamp/.github/workflows/test.yml@refs/heads/release')],
    ['of another branch', other('acme/lamp/.github/workflows/publish-keyless.yml@refs/heads/main')],
    ['of an identity that contains the right one', other(`${run.claims['job_workflow_ref']}-2`)],
    ['of an identity in other letters', other(String(run.claims['job_workflow_ref']).toUpperCase())],
  ])('%s', async (_, claims) => {
    await refused('identity-mismatch', signedFrom({ claims }));
  });

  test('of the right identity by another issuer', async () => {
    await refused('issuer-mismatch', signedFrom({ issuer: stranger }));
  });

  test('with a certificate of another authority', async () => {
    await refused('certificate-untrusted', signedFrom({ services: { ...sigstore.services, fulcioUrl: forger.url } }));
  });

  test('with a certificate that had expired, or was not valid yet, when it signed', async () => {
    for (const offsetSeconds of [-3600, 3600]) {
      await refused('certificate-untrusted', (image, version) =>
        sigstore.issuingAt(offsetSeconds, () => attester()(statementOf(image, version))),
      );
    }
  });

  test('with a certificate of the right authority that is not for signing code', async () => {
    const serverAuthentication = '1.3.6.1.5.5.7.3.1';
    await refused('certificate-untrusted', (image, version) =>
      sigstore.issuingFor(serverAuthentication, () => attester()(statementOf(image, version))),
    );
  });

  test('with a certificate of the right authority that no certificate log has seen', async () => {
    await refused('certificate-untrusted', (image, version) =>
      sigstore.issuingUnlogged(() => attester()(statementOf(image, version))),
    );
  });

  test('in another log', async () => {
    const services = { fulcioUrl: sigstore.url, rekorUrl: forger.url };
    await refused('attestation-not-logged', signedFrom({ services }));
  });

  const strips: readonly (readonly [string, ErrorCode, (material: Bundle) => void])[] = [
    [
      'without an entry of the log',
      'attestation-not-logged',
      (material) => {
        material.tlogEntries = [];
      },
    ],
    [
      'without a proof of inclusion',
      'attestation-not-logged',
      (material) => {
        delete material.tlogEntries[0].inclusionProof;
      },
    ],
    [
      'with an entry of the log twice',
      'attestation-untimed',
      (material) => {
        material.tlogEntries.push(material.tlogEntries[0]);
      },
    ],
    [
      'without anything that tells when it was signed',
      'attestation-untimed',
      (material) => {
        delete material.tlogEntries[0].inclusionPromise;
        delete material.timestampVerificationData;
      },
    ],
    [
      'with another time of the log than it has promised',
      'attestation-not-logged',
      (material) => {
        material.tlogEntries[0].integratedTime = String(Number(material.tlogEntries[0].integratedTime) + 1);
      },
    ],
  ];
  test.each(strips)('%s', async (_, code, strip) => {
    await refused(code, async (image, version) =>
      edited(await attester()(statementOf(image, version)), ({ verificationMaterial }) => strip(verificationMaterial)),
    );
  });

  test('with the proofs of another release', async () => {
    // Made later, so that their times lie inside the certificate's validity.
    const withProofsOfAnother =
      (swap: (material: Bundle, other: Bundle) => void) => async (image: ImportedImage, version: string) => {
        const text = await attester()(statementOf(image, version));
        const other = JSON.parse(await attester()(statementOf(await arena.imported(randomBytes(600)), '9.9.9')));
        return edited(text, ({ verificationMaterial }) => swap(verificationMaterial, other.verificationMaterial));
      };
    await refused(
      'attestation-untimed',
      withProofsOfAnother((material, { timestampVerificationData }) =>
        Object.assign(material, { timestampVerificationData }),
      ),
    );
    await refused(
      'attestation-not-logged',
      withProofsOfAnother((material, { tlogEntries }) => Object.assign(material, { tlogEntries })),
    );
  });

  test('with a certificate that anybody finds in the log, and another signature', async () => {
    const elsewhere = await arena.imported(randomBytes(600));
    const { material } = parseAttestation(await attester()(statementOf(elsewhere, '9.9.8'))) as KeylessAttestation;
    const pem = `-----BEGIN CERTIFICATE-----\n${material.certificate.rawBytes}\n-----END CERTIFICATE-----\n`;
    await refused('attestation-signature-invalid', (image, version) =>
      attest(
        statementOf(image, version),
        { sign: async () => ({ signature: randomBytes(70), key: { $case: 'x509Certificate', certificate: pem } }) },
        sigstoreWitnesses(sigstore.services),
      ),
    );
  });
});

describe('the Sigstore trusted root', () => {
  const genuine = signedFrom({});

  test('has to be the one whose digest the trust root names, and has to be there', async () => {
    const version = nextVersion();
    const bytes = randomBytes(600);
    const image = await arena.imported(bytes);
    await arena.recordPastTheServer(version, image, await genuine(image, version));
    await arena.offers(version);
    const lying = (sigstoreTrustedRoot: string | undefined) =>
      arena.liar.lying({ evidence: (document) => ({ ...document, sigstoreTrustedRoot }) }, () =>
        arena.device.install(),
      );
    await arena.resists('sigstore-root-mismatch', () => lying(forger.trustedRoot));
    await arena.resists('sigstore-root-mismatch', () => lying(sigstore.trustedRoot.trimEnd()));
    await arena.resists('sigstore-root-missing', () => lying(undefined));
  });

  test('is refused by the server when it is missing, another, or no trusted root at all', async () => {
    const { stack } = arena;
    const register = (name: string, named: string, sent: string | undefined) => {
      const identities = [{ identity: run.identity, issuer: github }];
      const signers = { buildKeys: [], sigstore: { trustedRoot: sigstoreRootDigest(named), identities } };
      return makeVendor(stack, { name, signers, ...(sent !== undefined && { sigstoreTrustedRoot: sent }) });
    };
    await expectCode('sigstore-root-missing', () => register('lamp-1', forger.trustedRoot, undefined));
    await expectCode('sigstore-root-mismatch', () => register('lamp-2', forger.trustedRoot, sigstore.trustedRoot));
    await expectCode('sigstore-root-malformed', () => register('lamp-3', '{"tlogs": 7}', '{"tlogs": 7}'));
    await expectCode('sigstore-root-malformed', () => register('lamp-4', '{}', '{}'));
  });
});

describe('the server', () => {
  test('refuses a keyless attestation before it takes the image, with the same codes', async () => {
    const { vendor, product } = arena.vendor;
    const send = async (attester: Attest) => {
      const { file } = await arena.imported(randomBytes(700));
      const prepared = await vendor.prepare(file, { product, version: parseVersion(nextVersion()) }, attester);
      return vendor.upload(file, prepared);
    };
    const claims = { job_workflow_ref: 'acme/lamp/.github/workflows/test.yml@refs/heads/release' };
    await expectCode('identity-mismatch', () => send(attester({ claims })));
    await expectCode('issuer-mismatch', () => send(attester({ issuer: stranger })));
    await expectCode('certificate-untrusted', () =>
      send(attester({ services: { ...sigstore.services, fulcioUrl: forger.url } })),
    );
    expect((await vendor.client.follow((await send(attester())).id)).state).toBe('confirmed');
  });
});

describe('where the trust root names build keys only', () => {
  let keysOnly: Arena;
  beforeAll(async () => {
    keysOnly = await Arena.open();
  });
  afterAll(() => keysOnly.close());

  test('even the right identity is refused', async () => {
    const image = await keysOnly.imported(randomBytes(600));
    const statement = buildStatement('image.bin', image.digest as Sha256Digest, keysOnly.predicate(image, '3.0.0'));
    await keysOnly.recordPastTheServer('3.0.0', image, await attester()(statement));
    await keysOnly.seen('keyless-unexpected');
    await keysOnly.resists('keyless-unexpected', () => keysOnly.device.install());
  });
});
