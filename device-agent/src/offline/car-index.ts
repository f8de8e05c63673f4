import type { FileHandle } from 'node:fs/promises';
import {
  bytesToDigestText,
  dagJsonCodec,
  dagPbCodec,
  FirmproofError,
  maximumOfflineBlocks,
  rawCodec,
} from '@firmproof/protocol';

/** Where the bytes of a block are. */
export type Section = { readonly offset: number; readonly sizeBytes: number };

/** A CARv1 file, as far as its section heads say: nothing of it is hashed yet. */
export type CarIndex = { readonly root: string; readonly sections: ReadonlyMap<string, Section> };

const codecs = new Map([
  [rawCodec, Uint8Array.of(0x01, 0x55, 0x12, 0x20)],
  [dagPbCodec, Uint8Array.of(0x01, 0x70, 0x12, 0x20)],
  [dagJsonCodec, Uint8Array.of(0x01, 0xa9, 0x02, 0x12, 0x20)],
]);
const digestBytes = 32;
/** `{roots: [CID of 37 bytes], version: 1}` in DAG-CBOR, cut where the root's CID stands. */
const headerStart = Uint8Array.from([0xa2, 0x65, ...Buffer.from('roots'), 0x81, 0xd8, 0x2a, 0x58, 0x26, 0x00]);
const headerEnd = Uint8Array.from([0x67, ...Buffer.from('version'), 0x01]);
const rootCidBytes = 37;
const headerBytes = headerStart.length + rootCidBytes + headerEnd.length;
/** Longest length that is read, and the longest CID: the head of every section lies in so many bytes. */
const headRoomBytes = 5 + rootCidBytes;

/** The key of a block in the index: its codec and the sha-256 of its bytes. */
export const sectionKey = (codec: number, digest: string): string => `${codec}:${digest}`;

const malformed = (message: string) => new FirmproofError('offline-file-malformed', message);

/**
 * Reads the heads of all sections, in memory that the number of blocks bounds. Only what an offline file may hold is taken: one
 * root, CIDv1 of raw, dag-pb or dag-json with sha2-256, no block twice, nothing after the last one.
 * @throws FirmproofError `offline-file-malformed`
 */
export async function indexCar(handle: FileHandle, maximumBlockBytes: number): Promise<CarIndex> {
  const { size } = await handle.stat();
  const room = Buffer.alloc(1 + headerBytes);
  if ((await readAt(handle, room, 0)) < room.length) throw malformed('the file ends before its first block');
  const root = readHeader(room);
  const sections = new Map<string, Section>();
  const head = Buffer.alloc(headRoomBytes);
  for (let offset = room.length; offset < size; ) {
    const found = head.subarray(0, await readAt(handle, head, offset));
    const length = readVarint(found);
    const { key, sizeBytes: cidBytes } = readCid(found.subarray(length.sizeBytes));
    const start = offset + length.sizeBytes + cidBytes;
    const end = offset + length.sizeBytes + length.value;
    if (end < start) throw malformed(`a block at byte ${offset} is shorter than its own name`);
    if (end - start > maximumBlockBytes)
      throw malformed(`a block at byte ${offset} says that it has ${end - start} bytes`);
    if (end > size) throw malformed(`the file ends inside the block at byte ${offset}`);
    if (sections.has(key)) throw malformed(`the block at byte ${offset} is there twice`);
    if (sections.size === maximumOfflineBlocks) throw malformed(`it has more than ${maximumOfflineBlocks} blocks`);
    sections.set(key, { offset: start, sizeBytes: end - start });
    offset = end;
  }
  return { root, sections };
}

/** Fills the buffer as far as the file goes. */
async function readAt(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

function readHeader(bytes: Uint8Array): string {
  const start = bytes.subarray(1, 1 + headerStart.length);
  const end = bytes.subarray(bytes.length - headerEnd.length);
  if (bytes[0] !== headerBytes || !isEqual(start, headerStart) || !isEqual(end, headerEnd))
    throw malformed('it does not begin as a CAR of one root in dag-json does');
  const { key, codec } = readCid(bytes.subarray(1 + headerStart.length, bytes.length - headerEnd.length));
  if (codec !== dagJsonCodec) throw malformed('its root is not dag-json');
  return key;
}

/** An unsigned varint in its shortest form, below 2^35. */
function readVarint(bytes: Uint8Array): { readonly value: number; readonly sizeBytes: number } {
  let value = 0;
  for (const [index, byte] of bytes.subarray(0, 5).entries()) {
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      if (byte === 0 && index > 0) throw malformed('a length is not in its shortest form');
      return { value, sizeBytes: index + 1 };
    }
  }
  throw malformed('a length is cut off, or longer than any block');
}

function readCid(bytes: Uint8Array): { readonly codec: number; readonly key: string; readonly sizeBytes: number } {
  for (const [codec, prefix] of codecs) {
    const sizeBytes = prefix.length + digestBytes;
    if (bytes.length < sizeBytes || !isEqual(bytes.subarray(0, prefix.length), prefix)) continue;
    const digest = bytesToDigestText(bytes.slice(prefix.length, sizeBytes));
    return { codec, key: sectionKey(codec, digest), sizeBytes };
  }
  throw malformed('a block has a name other than CIDv1 of raw, dag-pb or dag-json with sha2-256, or is cut off');
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
