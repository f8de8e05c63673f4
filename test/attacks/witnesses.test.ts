// A22, A41: witnesses lie, one by one and together.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { buildStatement, signAttestation, signTrustRoot } from '@firmproof/client';
import { parseTrustRoot, parseVersion, sha256, toHex } from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice } from '../support/device.ts';
import { type ForgedState, forgeEvidence } from '../support/forged-state.ts';
import type { EvidenceDocument } from '../support/lying-server.ts';
import { stable } from '../support/stack.ts';

let arena: Arena;
let hostile: { image: ReturnType<typeof sha256>; attestation: string };

beforeAll(async () => {
  arena = await Arena.open();
  const image = await arena.imported(randomBytes(2000));
  const statement = buildStatement('hostile.bin', image.digest, arena.predicate(image, '6.6.6'));
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  hostile = { image: image.digest, attestation: await signAttestation(statement, stranger) };
});
afterAll(() => arena.close());

const told = (evidence: unknown, device = arena.device) =>
  arena.liar.lying({ evidence: () => evidence }, () => device.install());

const forged = (change: Partial<ForgedState>, ...witnesses: number[]) => {
  const state: ForgedState = {
    trustRoot: arena.vendor.trustRoot,
    channel: stable,
    version: parseVersion('6.6.6'),
    sequence: 1000,
    ...hostile,
    ...change,
  };
  return forgeEvidence(state, Math.floor(Date.now() / 1000), arena.cosign(...witnesses));
};

/** These liars put their name under another state than the block had. */
async function liarsAmong(document: EvidenceDocument, witnesses: readonly number[]) {
  const other = { ...document.block, stateRoot: toHex(randomBytes(32)) };
  const lying = arena.cosign(...witnesses)(other);
  return {
    ...document,
    cosignatures: document.cosignatures.map(
      (honest: { publicKey: string }) => lying.find(({ publicKey }) => publicKey === honest.publicKey) ?? honest,
    ),
  };
}

describe('A22 some witnesses lie', () => {
  test('one of three: the other two are the quorum', async () => {
    const lie = await liarsAmong(await arena.evidence(), [2]);
    const { verdict } = await arena.liar.lying({ evidence: () => lie }, () => arena.device.check());
    expect(verdict).toMatchObject({ outcome: 'update', release: { version: '2.0.0' } });
  });

  test('two of three: no quorum, which is not the same as refused', async () => {
    const lie = await liarsAmong(await arena.evidence(), [1, 3]);
    await arena.resists('no-quorum', () => told(lie));
    expect((await arena.device.status()).lastVerdict).toMatchObject({ outcome: 'unproven' });
  });

  test('two of three: the device keeps running its old image and says why, until they tell the truth', async () => {
    const { device } = arena;
    const config = ['--config', device.configFile];
    const lie = await liarsAmong(await arena.evidence(), [2, 3]);
    await arena.liar.lying({ evidence: () => lie }, async () => {
      const before = await device.fingerprint();
      const { code, stdout } = await runCommand(firmproofAgent, ['install', ...config]);
      expect(code).toBe(20);
      expect(stdout).toMatch(/^unproven: 1 of 2 needed witnesses vouch for block \d+ \[no-quorum\]$/m);
      expect(await device.fingerprint()).toEqual(before);
    });
    expect(device.running()).toBe(sha256(arena.images['1.0.0']));
    const status = await runCommand(firmproofAgent, ['status', ...config]);
    expect(status.stdout).toContain('1.0.0');
    expect(status.stdout).toMatch(/unproven: 1 of 2 needed witnesses vouch for block \d+ \[no-quorum\]/);
    const explained = await runCommand(firmproofAgent, ['explain', 'no-quorum']);
    expect(explained.stdout).toContain('Nothing is wrong with the device');
    expect((await device.check()).verdict).toMatchObject({ outcome: 'update', release: { version: '2.0.0' } });
  });

  test('no cosignature at all', async () => {
    await arena.resists('no-quorum', async () => told({ ...(await arena.evidence()), cosignatures: [] }));
  });

  test('one witness repeated is one voice', async () => {
    const document = await arena.evidence();
    const [first] = document.cosignatures;
    await arena.resists('no-quorum', () => told({ ...document, cosignatures: [first, first, first] }));
  });

  test('one lying witness cannot vouch for a forged state', async () => {
    const evidence = await forged({}, 1);
    await arena.resists('no-quorum', () => told(evidence));
  });

  test('a quorum that vouches for another history at the same sequence is found out', async () => {
    const { sequence } = await arena.device.status();
    const evidence = await forged({ sequence: sequence ?? 0 }, 1, 2);
    await arena.resists('equivocation', () => told(evidence));
  });
});

describe('A41 a quorum of witnesses lies together', () => {
  test('a release by a stranger’s build key is still refused', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.liar.url]);
    try {
      const evidence = await forged({}, 1, 2);
      await expect(told(evidence, device)).resolves.toMatchObject({
        outcome: 'refused',
        code: 'attestation-key-unknown',
      });
      expect(device.running()).toBeNull();
    } finally {
      device.destroy();
    }
  });

  test('a trust root of their own is still refused: the old root keys have not signed it', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.liar.url]);
    try {
      const rootKey = generateKeyPairSync('ed25519').privateKey;
      const { payload } = arena.vendor.trustRoot.envelope;
      const document = JSON.parse(Buffer.from(payload, 'base64').toString());
      const own = signTrustRoot({ ...document, version: 2, rootKeys: { threshold: 1, keys: [publicKeyOf(rootKey)] } }, [
        rootKey,
      ]);
      const evidence = await forged({ trustRoot: { ...own, product: arena.vendor.product } }, 1, 2);
      const lie = { ...evidence, trustRoots: [own.envelope] };
      await expect(told(lie, device)).resolves.toMatchObject({ code: 'trust-root-signature-invalid' });
      expect(parseTrustRoot(JSON.stringify(own.envelope)).digest).toBe(own.digest);
      expect((await device.status()).trustRootVersion).toBe(1);
    } finally {
      device.destroy();
    }
  });

  test('what they can do, as the threat model says: replay a genuine release at or above the floor, not below', async () => {
    const { release } = await arena.evidence();
    const genuine = { version: parseVersion('2.0.0'), image: release.image, attestation: release.attestation };
    const device = makeDevice(arena.vendor.trustRoot, [arena.liar.url]);
    const guarded = makeDevice(arena.vendor.trustRoot, [arena.liar.url], {
      image: { version: '0.0.1', rollbackIndex: 1, buildTimeSeconds: 1_700_000_000 },
    });
    try {
      await arena.vendor.vendor.client.follow(
        (await arena.vendor.vendor.revoke(arena.vendor.product, parseVersion('2.0.0'))).id,
      );
      const evidence = await forged(genuine, 1, 2);
      const { verdict } = await arena.liar.lying({ evidence: () => evidence }, () => device.check());
      expect(verdict).toMatchObject({ outcome: 'update', release: { version: '2.0.0' } });
      await expect(told(evidence, guarded)).resolves.toMatchObject({ code: 'below-rollback-floor' });
    } finally {
      device.destroy();
      guarded.destroy();
    }
  });
});
