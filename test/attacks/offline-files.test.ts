// A file from a USB stick, made by the real export and then by whoever wants to harm (A06, A20, A26, A30, A38).
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportRelease } from '@firmproof/client';
import { installFromFile, type OfflineInstallOptions } from '@firmproof/device-agent';
import { type ErrorCode, type OfflineRoot, offlineRootText, parseOfflineRoot, sha256 } from '@firmproof/protocol';
import { CarReader } from '@ipld/car';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { type CarBlock, carBytes, heading } from '../support/car.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { flipByte, forgeProof } from '../support/lying-server.ts';
import { stable } from '../support/stack.ts';

let arena: Arena;
let directory: string;
let genuine: Buffer;
let blocks: readonly CarBlock[];
let root: OfflineRoot;

beforeAll(async () => {
  arena = await Arena.open();
  directory = mkdtempSync(join(tmpdir(), 'firmproof-offline-'));
  const file = join(directory, 'genuine.car');
  await exportRelease(arena.vendor.vendor.client, arena.vendor.product, { channel: stable, file });
  genuine = readFileSync(file);
  blocks = await blocksOf(genuine);
  root = parseOfflineRoot(Buffer.from(blocks[0]?.bytes ?? []).toString());
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await arena.close();
});

async function blocksOf(car: Buffer): Promise<readonly CarBlock[]> {
  const found: CarBlock[] = [];
  for await (const block of (await CarReader.fromBytes(car)).blocks()) found.push(block);
  return found;
}

let files = 0;
function stick(bytes: Uint8Array): string {
  files += 1;
  const file = join(directory, `${files}.car`);
  writeFileSync(file, bytes);
  return file;
}

const installs = (file: string, options: OfflineInstallOptions = {}, device: TestDevice = arena.device) =>
  device.act((agent) => installFromFile(agent, file, options));

/** No server is asked, the device says this code, and is as it was. */
async function resists(code: ErrorCode, bytes: Uint8Array): Promise<void> {
  const asked = arena.liar.requests.length;
  await arena.resists(code, () => installs(stick(bytes)));
  expect(arena.liar.requests.length).toBe(asked);
}

const rawBlock = (text: string): CarBlock => {
  const bytes = Buffer.from(text);
  return { cid: CID.createV1(0x55, Digest.create(0x12, Buffer.from(sha256(bytes), 'hex'))), bytes };
};

function rootBlock(claims: object | string): CarBlock {
  const bytes = Buffer.from(
    typeof claims === 'string' ? claims : offlineRootText({ ...root, ...claims } as OfflineRoot),
  );
  return { cid: CID.createV1(0x0129, Digest.create(0x12, Buffer.from(sha256(bytes), 'hex'))), bytes };
}

/** The file with another root block, and more blocks beside the genuine ones. */
function withRoot(claims: object | string, more: readonly CarBlock[] = []): Uint8Array {
  const changed = rootBlock(claims);
  return carBytes(changed.cid, [changed, ...blocks.slice(1), ...more]);
}

/** A file whose evidence says something else. */
// biome-ignore lint/suspicious/noExplicitAny: a forger edits whatever it likes.
function withEvidence(change: (evidence: any) => unknown): Uint8Array {
  const text = Buffer.from(partOf('evidence').bytes).toString();
  const forged = rawBlock(JSON.stringify(change(JSON.parse(text))));
  return withRoot({ evidence: forged.cid.toString() }, [forged]);
}

function partOf(part: 'evidence' | 'trustRoots' | 'attestation' | 'image'): CarBlock {
  const found = blocks.find(({ cid }) => cid.toString() === root[part]);
  if (!found) throw new Error(`the export lacks its ${part}`);
  return found;
}

function lastBlock(): CarBlock {
  const last = blocks.at(-1);
  if (!last) throw new Error('the export has no blocks');
  return last;
}

const without = (lost: CarBlock) => {
  const [first] = blocks;
  if (!first) throw new Error('the export has no blocks');
  return carBytes(
    first.cid,
    blocks.filter(({ cid }) => !cid.equals(lost.cid)),
  );
};

describe('a hostile file', () => {
  test.each([
    ['is empty', () => new Uint8Array(), 'offline-file-malformed'],
    ['is no CAR', () => randomBytes(4096), 'offline-file-malformed'],
    ['ends inside its header', () => genuine.subarray(0, 30), 'offline-file-malformed'],
    ['ends after its header', () => carBytes(rootBlock({}).cid, []), 'offline-file-incomplete'],
    ['ends inside a block', () => genuine.subarray(0, genuine.length - 1), 'offline-file-malformed'],
    ['ends inside the name of a block', () => Buffer.concat([genuine, Buffer.of(0x80)]), 'offline-file-malformed'],
    ['has something after its last block', () => Buffer.concat([genuine, Buffer.alloc(100)]), 'offline-file-malformed'],
    [
      'has a length of sixty-four bits',
      () => Buffer.concat([genuine, Buffer.alloc(9, 0xff), Buffer.of(1)]),
      'offline-file-malformed',
    ],
    [
      'has a length in a longer form',
      () => Buffer.concat([genuine, Buffer.of(0xa5, 0x80, 0x00), Buffer.alloc(37)]),
      'offline-file-malformed',
    ],
    [
      'promises a block of 32 GiB',
      () => Buffer.concat([genuine, heading(2 ** 35 - 1, partOf('image').cid)]),
      'offline-file-malformed',
    ],
    [
      'has a block shorter than its name',
      () => Buffer.concat([genuine, heading(10, partOf('image').cid)]),
      'offline-file-malformed',
    ],
    ['has a block twice', () => withRoot({}, [partOf('attestation')]), 'offline-file-malformed'],
    [
      'has a block that is named by another hash',
      () =>
        withRoot({}, [{ cid: CID.createV1(0x55, Digest.create(0x1b, new Uint8Array(32))), bytes: new Uint8Array(1) }]),
      'offline-file-malformed',
    ],
    ['has a root that is no JSON', () => withRoot('{'), 'offline-file-malformed'],
    [
      'has a root of another version',
      () => withRoot(JSON.stringify({ ...JSON.parse(offlineRootText(root)), offlineVersion: 2 })),
      'offline-file-malformed',
    ],
    ['has a root of a megabyte', () => withRoot(`{${' '.repeat(1 << 20)}}`), 'offline-file-malformed'],
    ['lacks its evidence', () => without(partOf('evidence')), 'offline-file-incomplete'],
    ['lacks its trust roots', () => without(partOf('trustRoots')), 'offline-file-incomplete'],
    ['lacks its attestation', () => without(partOf('attestation')), 'offline-file-incomplete'],
    ['lacks its image', () => without(partOf('image')), 'offline-file-incomplete'],
    ['lacks the last block of its image', () => without(lastBlock()), 'offline-file-incomplete'],
    ['has another byte in its root block', () => flipByte(genuine, 110), 'block-digest-mismatch'],
    ['has another byte in its image', () => flipByte(genuine, genuine.length - 1), 'block-digest-mismatch'],
    ['is for another product', () => withRoot({ product: `0x${'12'.repeat(32)}` }), 'offline-file-mismatch'],
    ['is for another channel', () => withRoot({ channel: 'beta' }), 'offline-file-mismatch'],
    ['has evidence that is no JSON', () => withRoot({ evidence: root.image }), 'evidence-malformed'],
    [
      'has evidence without cosignatures',
      () => withEvidence((evidence) => ({ ...evidence, cosignatures: [] })),
      'no-quorum',
    ],
    [
      'has a forged proof',
      () => withEvidence((evidence) => ({ ...evidence, accountProof: forgeProof(evidence.accountProof) })),
      'account-proof-invalid',
    ],
    [
      'names another image digest',
      () =>
        withEvidence((evidence) => ({ ...evidence, release: { ...evidence.release, image: sha256(randomBytes(8)) } })),
      'commitment-mismatch',
    ],
    ['has the history of before', () => withEvidence(() => arena.old), 'sequence-rollback'],
  ] as const)('that %s', async (_, forge, code) => {
    await resists(code, forge());
  });

  test('with an old block is taken where somebody at the device says so, and never one older than was seen', async () => {
    const device = makeDevice(arena.vendor.trustRoot, ['http://127.0.0.1:9']);
    try {
      const file = stick(genuine);
      const incomplete = stick(without(lastBlock()));
      expect(await installs(incomplete, {}, device)).toMatchObject({ code: 'offline-file-incomplete' });
      device.sleep(8);
      await arena.resists('stale', () => installs(file, {}, device), device);
      await device.act(async ({ journal }) => {
        const { lastProven } = journal.entry;
        if (!lastProven) throw new Error('nothing was proved');
        await journal.write({ lastProven: { ...lastProven, blockSeconds: lastProven.blockSeconds + 1 } });
      });
      await arena.resists('block-rollback', () => installs(file, { acceptOldBlock: true }, device), device);
      await device.act(async ({ journal }) => {
        const { lastProven } = journal.entry;
        if (lastProven)
          await journal.write({ lastProven: { ...lastProven, blockSeconds: lastProven.blockSeconds - 1 } });
      });
      expect(await installs(file, { acceptOldBlock: true }, device)).toEqual({
        outcome: 'installed',
        version: '2.0.0',
      });
      expect(await device.status()).toMatchObject({ daysInSilence: 8 });
    } finally {
      device.destroy();
    }
  });

  test('changes nothing by what its root block claims: the image is the one that was signed', async () => {
    const asked = arena.liar.requests.length;
    const file = stick(withRoot({ image: root.attestation, version: '9.9.9' }));
    expect(await installs(file)).toEqual({ outcome: 'installed', version: '2.0.0' });
    expect(arena.device.running()).toBe(sha256(arena.images['2.0.0']));
    expect(arena.liar.requests.length).toBe(asked);
  });
});
