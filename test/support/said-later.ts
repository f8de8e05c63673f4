import {
  advisoryPredicateType,
  attestationMediaType,
  keyIdOf,
  rebuildPredicateType,
  sha256,
  statementPayloadType,
  statementType,
} from '@firmproof/protocol';
import { testProduct } from './documents.ts';
import { envelopeOf, type TestKey } from './keys.ts';

export const rebuiltImage = sha256(new TextEncoder().encode('image'));

/** A statement in its Sigstore bundle, signed by a key. */
export const signedBy = (key: TestKey, statement: object, payloadType = statementPayloadType): string =>
  JSON.stringify({
    mediaType: attestationMediaType,
    verificationMaterial: { publicKey: { hint: keyIdOf(key.publicKey) }, tlogEntries: [] },
    dsseEnvelope: envelopeOf(JSON.stringify(statement), payloadType, [key]),
  });

/** A rebuild with everything in order, changed where a test wants it. */
export const rebuildStatementOf = (predicate: object = {}, image: string = rebuiltImage): object => ({
  _type: statementType,
  subject: [{ name: 'firmware.bin', digest: { sha256: image } }],
  predicateType: rebuildPredicateType,
  predicate: {
    product: testProduct,
    version: '1.0.0',
    result: 'reproduced',
    source: { uri: 'git+https://example.org/hub.git', digest: { gitCommit: '0123456789'.repeat(4) } },
    rebuiltAt: 1_795_608_000,
    environment: 'Debian 13, gcc 14.2',
    ...predicate,
  },
});

/** An advisory with everything in order, changed where a test wants it. */
export const advisoryStatementOf = (predicate: object = {}, versions: readonly string[] = ['1.0.0']): object => ({
  _type: statementType,
  subject: versions.map((name) => ({ name, digest: { sha256: rebuiltImage } })),
  predicateType: advisoryPredicateType,
  predicate: {
    product: testProduct,
    id: 'FPA-2026-1',
    revision: 1,
    publishedAt: 1_795_608_000,
    status: 'affected',
    severity: 'high',
    versions,
    fixedIn: '1.2.0',
    title: 'The radio takes commands without pairing',
    text: 'Anybody in reach can start the motor.\nSwitch the radio off.',
    vulnerabilities: ['CVE-2026-12345'],
    ...predicate,
  },
});
