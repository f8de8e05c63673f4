// docs/spec/vectors: what another implementation is held against, this one is held against too.
import { readFileSync } from 'node:fs';
import {
  asciiWord,
  blockStatementBytes,
  commitmentOf,
  decodeHeadSchedule,
  decodeProductState,
  decodeReleaseState,
  deviceLeaf,
  deviceTree,
  headSlots,
  isInShare,
  leavesOf,
  parseAddress,
  parseChannel,
  parseDeviceList,
  parseEvidence,
  parseProductName,
  parseTrustRoot,
  parseVersion,
  parseWitnessedBlock,
  productIdOf,
  productSlots,
  rawCidOf,
  releaseSlots,
  rootOfProof,
  shareAt,
  toHex,
  verifyEvidence,
  verifySignature,
} from '@firmproof/protocol';
import { actionTypedData, typedDataHash } from '@firmproof/protocol/approval';
import { entrySchema, ProductHistory, Replay } from '@firmproof/protocol/audit';
import { importImage } from '@firmproof/protocol/node';
import { describe, expect, test } from 'vitest';
import { evidenceCases } from '../support/evidence-cases.ts';
import { stepsOf } from '../support/step-vectors.ts';

// biome-ignore lint/suspicious/noExplicitAny: read as another language would.
const vectors = (name: string): any =>
  JSON.parse(readFileSync(new URL(`../../docs/spec/vectors/${name}.json`, import.meta.url), 'utf8'));

test('names', () => {
  const { versions, names } = vectors('names');
  for (const text of versions.valid) expect(parseVersion(text)).toBe(text);
  for (const text of versions.invalid) expect(() => parseVersion(text), text).toThrow();
  for (const text of names.valid) expect(parseChannel(text)).toBe(text);
  for (const text of names.invalid) expect(() => parseProductName(text), text).toThrow();
});

test('registry: ids, slots, words, commitment', () => {
  const { chainId, registry, publisher, name, channel, version, product, words, slots, decoded, commitment } =
    vectors('registry');
  expect(productIdOf(chainId, parseAddress(registry), parseAddress(publisher), parseProductName(name))).toBe(product);
  expect({ name: asciiWord(name), channel: asciiWord(channel), version: asciiWord(version) }).toEqual(words);
  expect({
    product: productSlots(product),
    head: headSlots(product, parseChannel(channel)),
    release: releaseSlots(product, parseVersion(version)),
  }).toEqual(slots);
  expect(decodeProductState(BigInt(decoded.productState.word))).toEqual(decoded.productState.is);
  expect(decodeHeadSchedule(BigInt(decoded.headSchedule.word))).toEqual(decoded.headSchedule.is);
  expect(decodeReleaseState(BigInt(decoded.releaseState.word))).toEqual(decoded.releaseState.is);
  expect(commitmentOf(`0x${commitment.image}` as never, `0x${commitment.attestation}` as never)).toBe(commitment.is);
});

test('history: entries, what they say, and the hash after each', () => {
  const { product, steps } = vectors('history');
  const [replay, history] = [new Replay(), new ProductHistory()];
  const kinds = new Set<string>();
  for (const { entry, event, history: hash } of steps) {
    const read = replay.take(entrySchema.parse(entry));
    history.apply(read);
    kinds.add(read.kind);
    expect([read, replay.history, read.product]).toEqual([event, hash, product]);
  }
  expect(kinds.size).toBe(8);
});

test('images: digests and CIDs', async () => {
  const { raw, images } = vectors('images');
  expect(rawCidOf(raw.digest)).toBe(raw.cid);
  for (const { sizeBytes, digest, cid } of images) {
    async function* source() {
      yield Uint8Array.from({ length: sizeBytes }, (_, index) => index % 251);
    }
    expect(await importImage(source())).toEqual({ digest, cid, sizeBytes });
  }
});

test('device anchor: leaves, tree, proofs and what is signed', () => {
  const { chainId, product, list, root, devices, messages } = vectors('device-anchor');
  const read = parseDeviceList(list);
  expect(deviceTree(leavesOf({ product, devices: read })).root).toBe(root);
  for (const [index, { leaf, proof, ...device }] of devices.entries()) {
    expect(read[index]).toEqual(device);
    expect(deviceLeaf(product, device.keyDigest, device.salt)).toBe(leaf);
    expect(rootOfProof(leaf, proof)).toBe(root);
  }
  for (const [action, { message, hash }] of Object.entries<{ message: { registry: string }; hash: string }>(messages)) {
    const at = { chainId, registry: parseAddress(message.registry) };
    expect(typedDataHash(actionTypedData(at, action as 'AnchorDevices', message as never))).toBe(hash);
  }
});

test('witness: the signed bytes and a cosignature', () => {
  const { block, signedBytes, cosignature } = vectors('witness');
  expect(parseWitnessedBlock(JSON.stringify({ block, cosignature }))).toEqual({ block, cosignature });
  expect(toHex(blockStatementBytes(block))).toBe(signedBytes);
  const signature = Buffer.from(cosignature.signature, 'base64');
  expect(verifySignature(cosignature.publicKey, blockStatementBytes(block), signature)).toBe(true);
});

test('rollout: shares and buckets', () => {
  const { shares, buckets } = vectors('rollout');
  for (const { schedule, time, basisPoints } of shares) expect(shareAt(schedule, time)).toBe(basisPoints);
  for (const { secret, product, sequence, firstShareInside } of buckets) {
    const bytes = Uint8Array.from(Buffer.from(secret, 'hex'));
    expect(isInShare(bytes, product, sequence, firstShareInside)).toBe(true);
    expect(isInShare(bytes, product, sequence, firstShareInside - 1)).toBe(false);
  }
});

test('steps: what each check of the evidence comes to', async () => {
  const { device, ...evidence } = vectors('evidence');
  const { rolloutSecret, steps } = vectors('steps');
  expect(await stepsOf({ ...evidence, device: { ...device, rolloutSecret } })).toEqual(steps);
});

describe('evidence', () => {
  const { trustRoot, device, nowSeconds, evidence, proves } = vectors('evidence');
  const root = parseTrustRoot(JSON.stringify(trustRoot));
  const verify = (document: object, change: object = {}, now = nowSeconds) =>
    verifyEvidence(
      parseEvidence(JSON.stringify(document)),
      root,
      { ...device, rolloutSecret: new Uint8Array(32), ...change },
      now,
    );

  test('proves an update', async () => {
    expect(await verify(evidence)).toMatchObject({ outcome: 'update', release: proves });
  });

  const cases = evidenceCases(vectors('evidence'));
  for (const [code, document, change, now] of cases) {
    test(code, async () => {
      expect(await verify(document, change, now)).toMatchObject({ code });
    });
  }
});
