// Writes docs/spec/vectors: `node test/docs/generate-vectors.ts`. Run once for a version of the format; what has been
// released is never generated again, since others implement against it.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  asciiWord,
  type Bytes32,
  blockStatementBytes,
  bytes32OfDigest,
  commitmentOf,
  decodeHeadSchedule,
  decodeProductState,
  decodeReleaseState,
  deviceProof,
  deviceTree,
  formatDeviceList,
  headSlots,
  isInShare,
  leavesOf,
  nodeReader,
  parseAddress,
  parseChannel,
  parseProductName,
  parseVersion,
  productIdOf,
  productSlots,
  rawCidOf,
  releaseSlots,
  sha256,
  shareAt,
  toHex,
} from '@firmproof/protocol';
import { actionTypedData, typedDataHash } from '@firmproof/protocol/approval';
import { importImage } from '@firmproof/protocol/node';
import { Arena } from '../support/arena.ts';
import { ed25519Key } from '../support/keys.ts';

const directory = new URL('../../docs/spec/vectors/', import.meta.url);
const write = (name: string, value: object) =>
  writeFileSync(new URL(`${name}.json`, directory), `${JSON.stringify(value, null, 2)}\n`);
mkdirSync(directory, { recursive: true });

write('names', {
  versions: {
    valid: ['0.0.0', '1.2.3', '1.0.0-rc.1', '1.0.0-alpha.beta', '10.20.30', '1.0.0-0a', '123456789012345.0.0'],
    invalid: [
      '',
      '1',
      '1.0',
      '01.0.0',
      '1.0.0+build',
      'v1.0.0',
      '1.0.0-01',
      '1.0.0-',
      ' 1.0.0',
      '1.0.0-ü',
      `1.0.0-${'a'.repeat(26)}`,
    ],
  },
  names: {
    valid: ['stable', 'a', 'prime-hub', 'rev.2', 'a1-b2.c3', 'x'.repeat(31)],
    invalid: ['', '-a', 'a-', 'a--b', 'a.-b', 'A', 'a_b', 'ä', 'x'.repeat(32)],
  },
});

const chainId = 31_337;
const registry = parseAddress(`0x${'5f'.repeat(20)}`);
const publisher = parseAddress(`0x${'a1'.repeat(20)}`);
const name = parseProductName('prime-hub');
const channel = parseChannel('stable');
const version = parseVersion('7.28.0');
const product = productIdOf(chainId, registry, publisher, name);
const image = sha256(new TextEncoder().encode('image'));
const attestation = sha256(new TextEncoder().encode('attestation'));
const words = {
  productState: `0x${'00'.repeat(2)}${'00000007'}${'000000000005'}${publisher.slice(2)}`,
  headSchedule: `0x${'00'.repeat(12)}${'00000002'}${'01'}${'0064'}${'0003f480'}${'0065000000'}${'00000009'}`,
  releaseState: `0x${'00'.repeat(11)}${'000000000004'}${'0065000e10'}${'0065000000'}${'00000003'}${'01'}`,
};
write('registry', {
  chainId,
  registry,
  publisher,
  name,
  channel,
  version,
  product,
  words: { name: asciiWord(name), channel: asciiWord(channel), version: asciiWord(version) },
  slots: { product: productSlots(product), head: headSlots(product, channel), release: releaseSlots(product, version) },
  decoded: {
    productState: { word: words.productState, is: decodeProductState(BigInt(words.productState)) },
    headSchedule: { word: words.headSchedule, is: decodeHeadSchedule(BigInt(words.headSchedule)) },
    releaseState: { word: words.releaseState, is: decodeReleaseState(BigInt(words.releaseState)) },
  },
  commitment: { image, attestation, is: commitmentOf(bytes32OfDigest(image), bytes32OfDigest(attestation)) },
});

/** Byte i is i modulo 251: no two chunks of a mebibyte are equal. */
function pattern(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => index % 251);
}
const images = [];
for (const sizeBytes of [1, 1_048_576, 1_048_577, 3_500_000]) {
  async function* source() {
    yield pattern(sizeBytes);
  }
  const { digest, cid } = await importImage(source());
  images.push({ pattern: 'byte i is i modulo 251', sizeBytes, digest, cid });
}
write('images', { raw: { digest: image, cid: rawCidOf(image) }, images });

const devices = [1, 2, 3, 4, 5].map((number) => ({
  device: `00000000-0000-4000-8000-00000000000${number}`,
  keyDigest: sha256(new TextEncoder().encode(`key ${number}`)),
  salt: bytes32OfDigest(sha256(new TextEncoder().encode(`salt ${number}`))),
}));
const tree = deviceTree(leavesOf({ product, devices }));
const deadline = 1_800_000_000;
const anchored = { registry, product, root: tree.root, count: devices.length, epoch: 1, deadline };
const [revokedDevice] = devices;
const leaf = [...leavesOf({ product, devices: revokedDevice ? [revokedDevice] : [] })][0] as Bytes32;
const revoked = { registry, product, leaf, deadline };
write('device-anchor', {
  chainId,
  product,
  list: formatDeviceList(devices),
  root: tree.root,
  devices: devices.map((device) => {
    const [own] = leavesOf({ product, devices: [device] });
    return { ...device, leaf: own, proof: own && deviceProof(tree.count, nodeReader(tree.nodes), own) };
  }),
  messages: {
    AnchorDevices: {
      message: anchored,
      hash: typedDataHash(actionTypedData({ chainId, registry }, 'AnchorDevices', anchored)),
    },
    RevokeDevice: {
      message: revoked,
      hash: typedDataHash(actionTypedData({ chainId, registry }, 'RevokeDevice', revoked)),
    },
  },
});

const witnessKey = ed25519Key();
const block = {
  chainId,
  number: 19_000_000,
  hash: toHex(randomBytes(32)) as never,
  stateRoot: toHex(randomBytes(32)) as never,
  timestamp: 1_767_225_600,
};
const statement = blockStatementBytes(block);
write('witness', {
  block,
  signedBytes: toHex(statement),
  cosignature: { publicKey: witnessKey.publicKey, signature: witnessKey.sign(statement) },
});

const schedule = { start: 1000, duration: 10_000, firstShare: 100 };
const secrets = ['00', '11', '22', '33'].map((byte) => byte.repeat(32));
/** The smallest share, in basis points, that has this device inside. */
function firstShareInside(secret: string, sequence: number): number {
  const bytes = Uint8Array.from(Buffer.from(secret, 'hex'));
  for (let share = 0; share <= 10_000; share += 1) if (isInShare(bytes, product, sequence, share)) return share;
  throw new Error('everybody is inside the whole fleet');
}
write('rollout', {
  shares: [999, 1000, 1001, 6000, 10_999, 11_000].map((time) => ({
    schedule,
    time,
    basisPoints: shareAt(schedule, time),
  })),
  buckets: secrets.flatMap((secret) =>
    [1, 2].map((sequence) => ({ secret, product, sequence, firstShareInside: firstShareInside(secret, sequence) })),
  ),
});

const arena = await Arena.open();
const evidence = await arena.evidence();
write('evidence', {
  trustRoot: arena.vendor.trustRoot.envelope,
  device: {
    channel: 'stable',
    hardware: 'rev-1',
    installed: { version: '0.0.1', image: null },
    rollbackFloor: 0,
    lastProven: null,
  },
  nowSeconds: evidence.block.timestamp + 60,
  evidence,
  older: arena.old,
  proves: { version: '2.0.0', image: evidence.release.image },
});
await arena.close();
