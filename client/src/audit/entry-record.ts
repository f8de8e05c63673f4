import { parseBytes32, toHex } from '@firmproof/protocol';
import { type Entry, entrySchema } from '@firmproof/protocol/audit';

const wordBytes = 32;
const topicsAt = 6 + 6 + 2 * wordBytes;
const dataAt = topicsAt + 4 * wordBytes;

/** An entry as some 400 bytes for the disk: sequence, block, transaction, topics, data. */
export function encodeEntry({ sequence, block, transaction, topics, data }: Entry): Buffer {
  const head = Buffer.alloc(12);
  head.writeUIntBE(sequence, 0, 6);
  head.writeUIntBE(block.number, 6, 6);
  const words = [block.hash, transaction, ...topics, data].map((hex) => hex.slice(2)).join('');
  return Buffer.concat([head, Buffer.from(words, 'hex')]);
}

/** @throws ZodError for what `encodeEntry` has not written */
export function decodeEntryRecord(record: Buffer): Entry {
  const word = (at: number) => parseBytes32(toHex(record.subarray(at, at + wordBytes)));
  return entrySchema.parse({
    sequence: record.readUIntBE(0, 6),
    block: { number: record.readUIntBE(6, 6), hash: word(12) },
    transaction: word(12 + wordBytes),
    topics: [0, 1, 2, 3].map((index) => word(topicsAt + index * wordBytes)),
    data: toHex(record.subarray(dataAt)),
  });
}
