// A02, A03, A09, A18, A19, A36, A48: somebody owns the server that tells devices what the chain holds.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { buildStatement, signAttestation } from '@firmproof/client';
import { parseEvidence, parseVersion, type StorageProofName, sha256, verifyEvidence } from '@firmproof/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { makeDevice } from '../support/device.ts';
import { type EvidenceDocument, forgeProof } from '../support/lying-server.ts';
import { makeVendor, stable } from '../support/stack.ts';

let arena: Arena;
let genuine: EvidenceDocument;
beforeAll(async () => {
  arena = await Arena.open();
  genuine = await arena.evidence();
});
afterAll(() => arena.close());

/** The server tells this instead of the truth. */
const told = (change: (document: EvidenceDocument) => unknown) =>
  arena.liar.lying({ evidence: change }, () => arena.device.install());

describe('A02 wrong product or hardware', () => {
  test('evidence of another vendor’s product proves nothing here', async () => {
    const other = await makeVendor(arena.stack, { name: 'other-product' });
    await other.publish('9.0.0', randomBytes(1000));
    await other.promote('9.0.0');
    const device = makeDevice(other.trustRoot, [arena.stack.url]);
    await arena.offers('9.0.0', device);
    device.destroy();
    const theirs = JSON.parse(await other.vendor.client.evidence(other.product, stable));
    await arena.resists('storage-proof-invalid', () => told(() => theirs));
  });

  test('a release for another hardware revision is refused', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.stack.url], { hardware: 'rev-9' });
    try {
      await arena.vendor.publish('2.1.0', randomBytes(1000), { hardware: ['rev-1', 'rev-2'] });
      await arena.vendor.promote('2.1.0', 'beta');
      device.configure({ channel: 'beta' });
      await arena.seen('hardware-mismatch', device);
      await arena.resists('hardware-mismatch', () => device.install(), device);
    } finally {
      device.destroy();
    }
  });
});

describe('A03 rollback', () => {
  test('genuine evidence of an older head is refused', () =>
    arena.resists('sequence-rollback', () => told(() => arena.old)));

  test('a genuine release below the confirmed floor is refused, though the chain says so', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.stack.url], { channel: 'beta' });
    try {
      await arena.vendor.publish('2.2.0', randomBytes(1000), { rollbackIndex: 1 });
      await arena.vendor.promote('2.2.0', 'beta');
      await arena.offers('2.2.0', device);
      expect(await device.install()).toMatchObject({ outcome: 'installed', version: '2.2.0' });
      await arena.vendor.promote('1.0.0', 'beta');
      await arena.seen('below-rollback-floor', device);
      await arena.resists('below-rollback-floor', () => device.install(), device);
      expect((await device.status()).rollbackFloor).toBe(1);
    } finally {
      device.destroy();
    }
    genuine = await arena.evidence();
  });
});

describe('A09 mix and match', () => {
  test('the attestation of one release with the image of another is refused', () =>
    arena.resists('commitment-mismatch', () =>
      told((document) => ({
        ...document,
        release: { ...document.release, attestation: arena.old.release.attestation },
      })),
    ));

  test('the image of one release with the attestation of another is refused', () =>
    arena.resists('commitment-mismatch', () =>
      told((document) => ({ ...document, release: { ...document.release, image: arena.old.release.image } })),
    ));

  test('a whole older release under the record of the newer is refused', () =>
    arena.resists('commitment-mismatch', () => told((document) => ({ ...document, release: arena.old.release }))));

  test('the proofs of one block under the block of another are refused', () =>
    arena.resists('account-proof-invalid', () =>
      told((document) => ({ ...document, block: arena.old.block, cosignatures: arena.old.cosignatures })),
    ));
});

describe('A18 hidden release', () => {
  test('a release that the build key has signed, but no chain has recorded, is refused', async () => {
    const image = await arena.imported(randomBytes(1000));
    const statement = buildStatement('hidden.bin', image.digest, arena.predicate(image, '2.0.0'));
    const attestation = await signAttestation(statement, arena.vendor.buildKey);
    await arena.resists('commitment-mismatch', () =>
      told((document) => ({ ...document, release: { image: image.digest, attestation } })),
    );
  });
});

describe('A19 lies about the state', () => {
  const names: StorageProofName[] = [
    'productState',
    'history',
    'trustRoot',
    'headVersion',
    'headSchedule',
    'releaseCommitment',
    'releaseState',
  ];

  test.each(names)('a forged value in the proof of %s is refused', (name) =>
    arena.resists('storage-proof-invalid', () =>
      told((document) => ({
        ...document,
        storageProofs: { ...document.storageProofs, [name]: forgeProof(document.storageProofs[name]) },
      })),
    ),
  );

  test('a forged account is refused', () =>
    arena.resists('account-proof-invalid', () =>
      told((document) => ({ ...document, accountProof: forgeProof(document.accountProof) })),
    ));

  test('a proof that belongs to another slot is refused', () =>
    arena.resists('storage-proof-invalid', () =>
      told((document) => ({
        ...document,
        storageProofs: { ...document.storageProofs, releaseState: document.storageProofs.productState },
      })),
    ));

  test('no change of a single hexadecimal digit makes a device install anything else', async () => {
    const text = JSON.stringify(genuine);
    const digits = [...text.matchAll(/[0-9a-f]/g)].map(({ index }) => index);
    const device = {
      channel: stable,
      hardware: 'rev-1',
      installed: { version: parseVersion('0.0.1'), image: null },
      rollbackFloor: 0,
      lastProven: null,
      rolloutSecret: new Uint8Array(32),
    };
    const recorded = sha256(arena.images['2.0.0']);
    await fc.assert(
      fc.asyncProperty(fc.nat(digits.length - 1), fc.integer({ min: 1, max: 15 }), async (which, step) => {
        const at = digits[which] ?? 0;
        const digit = (Number.parseInt(text[at] ?? '0', 16) + step) % 16;
        const changed = text.slice(0, at) + digit.toString(16) + text.slice(at + 1);
        let evidence: ReturnType<typeof parseEvidence>;
        try {
          evidence = parseEvidence(changed);
        } catch {
          return;
        }
        const verdict = await verifyEvidence(evidence, arena.vendor.trustRoot, device, genuine.block.timestamp);
        // A digit of a cosignature beyond the quorum changes nothing; the image must be the recorded one in any case.
        if (verdict.outcome === 'update') expect(verdict.release.image).toBe(recorded);
      }),
      { numRuns: 400 },
    );
  });
});

describe('A36 a stolen server', () => {
  test.each([
    ['is silent', 503, 'unavailable', ''],
    ['says that there is nothing', 404, 'unavailable', ''],
    ['answers with a page', 200, 'evidence-malformed', '<html>'],
    ['answers with nothing', 200, 'evidence-malformed', ''],
    ['answers with other JSON', 200, 'evidence-malformed', '{"evidenceVersion":2}'],
  ] as const)('can withhold: it %s', (_, status, code, body) => {
    const answer = (_request: unknown, response: ServerResponse) => {
      response.writeHead(status).end(body);
      return true;
    };
    return arena.resists(code, () => arena.liar.lying({ answer }, () => arena.device.install()));
  });

  test('cannot send a device elsewhere', async () => {
    const answer = (_request: unknown, response: ServerResponse) => {
      response.writeHead(302, { location: `${arena.stack.url}/v1/info` }).end();
      return true;
    };
    await arena.resists('redirect-refused', () => arena.liar.lying({ answer }, () => arena.device.install()));
  });

  test('cannot replace the trust root, not even with one that is well signed by itself', async () => {
    const other = await makeVendor(arena.stack, { name: 'impostor' });
    expect(other.trustRoot.digest).not.toBe(arena.vendor.trustRoot.digest);
    const named = { ...genuine.storageProofs, trustRoot: forgeProof(genuine.storageProofs.trustRoot) };
    await arena.resists('storage-proof-invalid', () =>
      told((document) => ({ ...document, trustRoots: [other.trustRoot.envelope], storageProofs: named })),
    );
  });

  test('cannot have a build key of its own believed', async () => {
    const image = await arena.imported(randomBytes(500));
    const statement = buildStatement('own.bin', image.digest, arena.predicate(image, '2.0.0'));
    const attestation = await signAttestation(statement, generateKeyPairSync('ed25519').privateKey);
    await arena.resists('commitment-mismatch', () =>
      told((document) => ({ ...document, release: { image: image.digest, attestation } })),
    );
  });
});

describe('A48 proof bomb', () => {
  const deep = (document: EvidenceDocument) => Array.from({ length: 65 }, () => document.accountProof[0]);
  const huge = () => Array.from({ length: 5 }, () => `0x${'ab'.repeat(64 * 1024)}`);

  test('a proof deeper than 64 nodes is refused', () =>
    arena.resists('proof-too-large', () => told((document) => ({ ...document, accountProof: deep(document) }))));

  test('a storage proof deeper than 64 nodes is refused', () =>
    arena.resists('proof-too-large', () =>
      told((document) => ({ ...document, storageProofs: { ...document.storageProofs, history: deep(document) } })),
    ));

  test('proofs of more than 256 KiB in all are refused', () =>
    arena.resists('proof-too-large', () => told((document) => ({ ...document, accountProof: huge() }))));

  test('a node larger than any node is no evidence', () =>
    arena.resists('evidence-malformed', () =>
      told((document) => ({ ...document, accountProof: [`0x${'ab'.repeat(64 * 1024 + 1)}`] })),
    ));

  test('the device is none the worse for all of it', () => arena.recovers());
});
