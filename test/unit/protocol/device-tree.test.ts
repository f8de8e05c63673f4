import {
  type BatchDevice,
  type Bytes32,
  deviceLeaf,
  deviceListHeader,
  deviceProof,
  deviceTree,
  formatDeviceList,
  leavesOf,
  nodeReader,
  parseDeviceList,
  parseProductId,
  rootOfProof,
} from '@firmproof/protocol';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';

const hexOf = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((content) => Buffer.from(content).toString('hex'));
const word = hexOf(32).map((hex) => `0x${hex}` as Bytes32);
const product = fc.constant(parseProductId(`0x${'ab'.repeat(32)}`));
const device = fc.record({ device: fc.uuid(), keyDigest: hexOf(32), salt: word }) as fc.Arbitrary<BatchDevice>;
const batch = fc.record({
  product,
  devices: fc.uniqueArray(device, { minLength: 1, maxLength: 40, selector: ({ keyDigest }) => keyDigest }),
});

const types = ['bytes32', 'bytes32', 'bytes32'];
const library = ({ product, devices }: { product: string; devices: readonly BatchDevice[] }) =>
  StandardMerkleTree.of(
    devices.map(({ keyDigest, salt }) => [product, `0x${keyDigest}`, salt]),
    types,
  );

describe('the tree of a batch', () => {
  test("is OpenZeppelin's StandardMerkleTree of (product, keyDigest, salt): leaves, root and every proof", () => {
    fc.assert(
      fc.property(batch, (of) => {
        const theirs = library(of);
        const tree = deviceTree(leavesOf(of));
        expect(tree.root).toBe(theirs.root);
        expect(tree.count).toBe(of.devices.length);
        for (const [index, { keyDigest, salt }] of of.devices.entries()) {
          const leaf = deviceLeaf(of.product, keyDigest, salt);
          expect(leaf).toBe(theirs.leafHash([of.product, `0x${keyDigest}`, salt]));
          const proof = deviceProof(tree.count, nodeReader(tree.nodes), leaf);
          expect(proof).toEqual(theirs.getProof(index));
          expect(rootOfProof(leaf, proof ?? [])).toBe(tree.root);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('does not depend on the order of the list', () => {
    fc.assert(
      fc.property(batch, ({ product, devices }) => {
        const reversed = { product, devices: [...devices].reverse() };
        expect(deviceTree(leavesOf(reversed)).root).toBe(deviceTree(leavesOf({ product, devices })).root);
      }),
      { numRuns: 20 },
    );
  });

  test('has no proof for a device that is not in it', () => {
    fc.assert(
      fc.property(batch, word, (of, stranger) => {
        const { count, nodes } = deviceTree(leavesOf(of));
        expect(deviceProof(count, nodeReader(nodes), stranger)).toBeNull();
      }),
      { numRuns: 20 },
    );
  });

  test('is not made of nothing, nor of a device twice', async () => {
    const leaf = `0x${'11'.repeat(32)}` as Bytes32;
    await expectCode('device-list-malformed', () => deviceTree([]));
    await expectCode('device-list-malformed', () => deviceTree([leaf, leaf]));
  });
});

describe('a list of devices as CSV', () => {
  test('reads as it was written', () => {
    fc.assert(
      fc.property(batch, ({ devices }) => {
        expect(parseDeviceList(formatDeviceList(devices))).toEqual(devices);
        expect(parseDeviceList(formatDeviceList(devices).trimEnd())).toEqual(devices);
      }),
    );
  });

  test.each([
    ['', 'no header'],
    ['device;keyDigest;salt\n', 'another header'],
    [`${deviceListHeader}\n\n`, 'an empty line'],
    [`${deviceListHeader}\n${'x'.repeat(200)}\n`, 'no fields'],
    [`${deviceListHeader}\n0b0fa0a5-7a0b-4e3a-9a52-2f0a4f0b1c11,${'a'.repeat(64)}\n`, 'a field missing'],
    [`${deviceListHeader}\n0b0fa0a5-7a0b-4e3a-9a52-2f0a4f0b1c11,${'a'.repeat(64)},0x${'b'.repeat(64)},more\n`, 'more'],
    [`${deviceListHeader}\n0b0fa0a5-7a0b-4e3a-9a52-2f0a4f0b1c11,${'A'.repeat(64)},0x${'b'.repeat(64)}\n`, 'upper case'],
    [`${deviceListHeader}\nserial-1,${'a'.repeat(64)},0x${'b'.repeat(64)}\n`, 'no UUID'],
    [`${deviceListHeader}\r\n`, 'a carriage return'],
  ])('is refused as malformed (%#: %s)', async (text) => {
    await expectCode('device-list-malformed', () => parseDeviceList(text));
  });

  test('is refused with that code alone, whatever is in it (A38)', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseDeviceList(`${deviceListHeader}\n${text}`);
        } catch (error) {
          expect(error).toMatchObject({ code: 'device-list-malformed' });
        }
      }),
    );
  });
});
