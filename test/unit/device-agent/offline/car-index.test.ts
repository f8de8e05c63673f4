import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  dagJsonCodec,
  dagPbCodec,
  isFirmproofError,
  maximumOfflineBlocks,
  rawCodec,
  sha256,
} from '@firmproof/protocol';
import { CarIndexer, CarWriter } from '@ipld/car';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { afterAll, describe, expect, test } from 'vitest';
import { indexCar, sectionKey } from '../../../../device-agent/src/offline/car-index.ts';
import { type CarBlock, carBytes } from '../../../support/car.ts';
import { expectCode } from '../../../support/expect-code.ts';

const directory = mkdtempSync(join(tmpdir(), 'firmproof-car-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const maximumBlockBytes = 4096;

const block = (codec: number, bytes: Uint8Array): CarBlock => ({
  cid: CID.createV1(codec, Digest.create(0x12, Buffer.from(sha256(bytes), 'hex'))),
  bytes,
});
const keyOf = ({ code, multihash }: CID) => sectionKey(code, Buffer.from(multihash.digest).toString('hex'));
const rootBlock = block(dagJsonCodec, Buffer.from('{}'));

async function indexed(car: Uint8Array) {
  const file = join(directory, 'file.car');
  writeFileSync(file, car);
  const handle = await open(file, 'r');
  try {
    return await indexCar(handle, maximumBlockBytes);
  } finally {
    await handle.close();
  }
}

async function written(blocks: readonly CarBlock[]): Promise<Buffer> {
  const { writer, out } = CarWriter.create([rootBlock.cid]);
  const collected = buffer(Readable.from(out));
  for (const one of blocks) await writer.put(one);
  await writer.close();
  return collected;
}

const blocksOfAnyKind = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom(rawCodec, dagPbCodec, dagJsonCodec), fc.uint8Array({ maxLength: 300 }))
    .map(([codec, bytes]) => block(codec, bytes)),
  { selector: ({ cid }) => cid.toString(), maxLength: 8 },
);

describe('the index of a CAR', () => {
  test('has every block where the library of IPFS has it', async () => {
    await fc.assert(
      fc.asyncProperty(blocksOfAnyKind, async (blocks) => {
        const car = await written(blocks);
        expect(car).toEqual(carBytes(rootBlock.cid, blocks));
        const { root, sections } = await indexed(car);
        const known = new Map();
        for await (const { cid, blockOffset, blockLength } of await CarIndexer.fromBytes(car))
          known.set(keyOf(cid), { offset: blockOffset, sizeBytes: blockLength });
        expect(root).toBe(keyOf(rootBlock.cid));
        expect(sections).toEqual(known);
      }),
      { numRuns: 50 },
    );
  });

  test('of damaged bytes is refused with its code, or has nothing that the library does not have', async () => {
    const edits = fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(blocksOfAnyKind, edits, fc.nat({ max: 40 }), async (blocks, changes, cut) => {
        const car = carBytes(rootBlock.cid, blocks);
        for (const [at, byte] of changes) if (at < car.length) car[at] = byte;
        const damaged = car.subarray(0, Math.max(0, car.length - cut));
        try {
          const { sections } = await indexed(damaged);
          const known = new Map();
          for await (const { cid, blockOffset, blockLength } of await CarIndexer.fromBytes(damaged))
            known.set(keyOf(cid), { offset: blockOffset, sizeBytes: blockLength });
          expect(sections).toEqual(known);
        } catch (error) {
          if (!isFirmproofError(error)) throw error;
          expect(error.code).toBe('offline-file-malformed');
        }
      }),
      { numRuns: 200 },
    );
  });

  test('is never longer than its bound, however many blocks a file has', async () => {
    // A file as a hostile disk would show it: empty blocks without end.
    let counter = 0;
    const head = carBytes(rootBlock.cid, []);
    const endless = {
      stat: async () => ({ size: Number.MAX_SAFE_INTEGER }),
      async read(buffer: Buffer, offset: number, length: number, position: number) {
        if (position === 0) return { bytesRead: head.copy(buffer, offset, 0, length) };
        counter += 1;
        const digest = Buffer.alloc(32);
        digest.writeUInt32BE(counter);
        const section = Buffer.concat([
          Buffer.of(36),
          CID.createV1(rawCodec, Digest.create(0x12, digest)).bytes,
          Buffer.alloc(5),
        ]);
        return { bytesRead: section.copy(buffer, offset, 0, length) };
      },
    } as unknown as FileHandle;
    await expectCode('offline-file-malformed', () => indexCar(endless, maximumBlockBytes));
    expect(counter).toBe(maximumOfflineBlocks + 1);
  });
});
