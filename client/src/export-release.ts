import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  bytesToDigestText,
  type Channel,
  type Cid,
  dagJsonCodec,
  dagPbCodec,
  type Evidence,
  FirmproofError,
  maximumOfflineBlocks,
  offlineRootText,
  type ProductId,
  parseAttestation,
  parseCid,
  parseEvidence,
  partsOfCid,
  rawCidOf,
  type Sha256Digest,
  sha256,
  type Version,
} from '@firmproof/protocol';
import { syncDirectory } from '@firmproof/protocol/node/atomic-file';
import * as dagPb from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import type { FirmproofClient } from './api-client.ts';

export type ExportedRelease = {
  readonly file: string;
  readonly product: ProductId;
  readonly channel: Channel;
  readonly version: Version;
  readonly image: Sha256Digest;
  readonly sizeBytes: number;
  readonly block: { readonly number: number; readonly timestamp: number };
};

type Part = { readonly cid: CID; readonly bytes: Uint8Array };
type Write = (part: Part) => Promise<void>;

/**
 * Writes one CAR file with all that a device without a network needs (docs/spec/device.md D30). Memory is one block and the
 * links on the way to it; the file appears when it is whole and its image has the digest that the evidence names.
 * @param version the release that the head of the channel has to be: devices install nothing else
 * @throws FirmproofError `release-not-head`, `image-digest-mismatch`, `image-size-mismatch`, `block-digest-mismatch`, `server-unreachable`
 */
export async function exportRelease(
  client: FirmproofClient,
  product: ProductId,
  options: {
    readonly channel: Channel;
    readonly version?: Version | undefined;
    readonly file: string;
    readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  },
): Promise<ExportedRelease> {
  const { channel, file } = options;
  const text = await client.evidence(product, channel);
  const evidence = parseEvidence(text);
  const { release, attestation } = headOf(evidence, channel, options.version);
  const { predicate } = attestation.statement;
  const evidencePart = rawPart(text);
  const trustRootsPart = rawPart(JSON.stringify({ items: await client.trustRoots(product) }));
  const attestationPart = rawPart(release.attestation);
  const root = rootPart({
    offlineVersion: 1,
    product,
    channel,
    version: predicate.version,
    evidence: nameOf(evidencePart),
    trustRoots: nameOf(trustRootsPart),
    attestation: nameOf(attestationPart),
    image: predicate.image.cid,
  });
  await writeWhole(file, root.cid, async (write) => {
    for (const part of [root, evidencePart, trustRootsPart, attestationPart]) await write(part);
    await writeImage(client, { ...predicate.image, digest: release.image }, write, options.onProgress);
  });
  const { number, timestamp } = evidence.block;
  const { cid: _, sizeBytes } = predicate.image;
  return {
    file,
    product,
    channel,
    version: predicate.version,
    image: release.image,
    sizeBytes,
    block: { number, timestamp },
  };
}

function headOf({ release }: Evidence, channel: Channel, wanted: Version | undefined) {
  if (release === undefined) throw new FirmproofError('channel-not-found', `channel ${channel} has no head`);
  const attestation = parseAttestation(release.attestation);
  const { version } = attestation.statement.predicate;
  if (wanted !== undefined && wanted !== version) {
    throw new FirmproofError('release-not-head', `the head of ${channel} is ${version}, not ${wanted}`);
  }
  return { release, attestation };
}

function rawPart(text: string): Part {
  const bytes = new TextEncoder().encode(text);
  return { cid: CID.parse(rawCidOf(sha256(bytes))), bytes };
}

function rootPart(root: Parameters<typeof offlineRootText>[0]): Part {
  const bytes = new TextEncoder().encode(offlineRootText(root));
  const hash = createHash('sha256').update(bytes).digest();
  return { cid: CID.createV1(dagJsonCodec, Digest.create(0x12, hash)), bytes };
}

const nameOf = ({ cid }: Part): Cid => parseCid(cid.toString());

/** Beside its place, synced, then renamed: whoever finds the file finds all of it. */
async function writeWhole(file: string, root: CID, content: (write: Write) => Promise<void>): Promise<void> {
  const temporary = `${file}.part`;
  const { CarWriter } = await import('@ipld/car');
  const { writer, out } = CarWriter.create([root]);
  const known = new Set<string>();
  const stopped = new AbortController();
  const written = pipeline(Readable.from(out), createWriteStream(temporary, { flush: true }), {
    signal: stopped.signal,
  });
  const write: Write = async ({ cid, bytes }) => {
    const name = cid.toString();
    if (known.has(name)) return;
    if (known.size === maximumOfflineBlocks)
      throw new FirmproofError('image-size-mismatch', `the image has more than ${maximumOfflineBlocks} blocks`);
    known.add(name);
    await Promise.race([writer.put({ cid, bytes }), written]);
  };
  try {
    await content(write);
    await Promise.all([writer.close(), written]);
    await rename(temporary, file);
    await syncDirectory(dirname(file));
  } catch (error) {
    stopped.abort();
    await written.catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/** All blocks of the image, depth first, each hashed; and the whole of them. */
async function writeImage(
  client: FirmproofClient,
  image: { readonly cid: Cid; readonly sizeBytes: number; readonly digest: Sha256Digest },
  write: Write,
  onProgress: ((doneBytes: number, totalBytes: number) => void) | undefined,
): Promise<void> {
  const whole = createHash('sha256');
  let done = 0;
  async function visit(cid: Cid): Promise<void> {
    const bytes = await client.block(cid);
    const { codec, digest } = partsOfCid(cid);
    if (sha256(bytes) !== digest)
      throw new FirmproofError('block-digest-mismatch', `the server sent other bytes than ${cid}`);
    await write({ cid: CID.parse(cid), bytes });
    if (codec === dagPbCodec) {
      for (const { Hash } of dagPb.decode(bytes).Links) await visit(parseCid(Hash.toString()));
      return;
    }
    whole.update(bytes);
    done += bytes.length;
    onProgress?.(done, image.sizeBytes);
  }
  await visit(image.cid);
  if (done !== image.sizeBytes)
    throw new FirmproofError('image-size-mismatch', `the image has ${done} bytes, ${image.sizeBytes} were signed`);
  const digest = bytesToDigestText(whole.digest());
  if (digest !== image.digest)
    throw new FirmproofError(
      'image-digest-mismatch',
      `the image has sha-256 ${digest}, the evidence names ${image.digest}`,
    );
}
