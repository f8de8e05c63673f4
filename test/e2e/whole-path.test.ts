import { randomBytes } from 'node:crypto';
import { type DeviceState, parseEvidence, parseVersion, sha256, verifyEvidence } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  destroyStack,
  eventually,
  makeVendor,
  type Stack,
  stable,
  startStack,
  type TestVendor,
} from '../support/stack.ts';

let stack: Stack;
let vendor: TestVendor;

const image = randomBytes(3 * 1024 * 1024 + 17);
const device: DeviceState = {
  channel: stable,
  hardware: 'rev-1',
  installed: { version: parseVersion('0.0.1'), image: null },
  rollbackFloor: 0,
  lastProven: null,
  rolloutSecret: randomBytes(32),
};
const nowSeconds = () => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack);
});
afterAll(() => destroyStack(stack));

describe('from a vendor to a device that proves it', () => {
  test('a published and promoted release is proven by evidence alone', async () => {
    const proposal = await vendor.publish('1.0.0', image);
    expect(proposal).toMatchObject({
      state: 'confirmed',
      version: '1.0.0',
      image: { digest: sha256(image), sizeBytes: image.length },
    });
    await vendor.promote('1.0.0');
    const evidence = await eventually(
      async () => parseEvidence(await vendor.vendor.client.evidence(vendor.product, stable)),
      (found) => found.release !== undefined,
      'evidence',
    );
    expect(evidence.cosignatures).toHaveLength(3);
    const verdict = await verifyEvidence(evidence, vendor.trustRoot, device, nowSeconds());
    expect(verdict).toMatchObject({ outcome: 'update', release: { version: '1.0.0', image: sha256(image) } });
  });

  test('the gateway has the image, block by block and as plain bytes', async () => {
    const release = await eventually(
      () => vendor.vendor.client.release(vendor.product, parseVersion('1.0.0')),
      (found) => found.imageCid !== undefined,
      'the image to be open',
    );
    const whole = await fetch(`${stack.url}/ipfs/${release.imageCid}`);
    expect(sha256(new Uint8Array(await whole.arrayBuffer()))).toBe(sha256(image));
    const part = await fetch(`${stack.url}/ipfs/${release.imageCid}`, { headers: { range: 'bytes=1048570-1048589' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(image.subarray(1_048_570, 1_048_590));
    const car = await fetch(`${stack.url}/ipfs/${release.imageCid}?format=car`);
    expect((await car.arrayBuffer()).byteLength).toBeGreaterThan(image.length);
  });
});
