import type { CID } from 'multiformats/cid';

export type CarBlock = { readonly cid: CID; readonly bytes: Uint8Array };

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** The head of a section: so long it says it is, and so it is called. */
export const heading = (lengthBytes: number, cid: CID): Buffer => Buffer.concat([varint(lengthBytes), cid.bytes]);

/** A CARv1 of one root, written without a library, so that it can be wrong in any way. */
export function carBytes(root: CID, blocks: readonly CarBlock[]): Buffer {
  const link = Buffer.concat([Buffer.of(0), root.bytes]);
  const header = Buffer.concat([
    Buffer.from('a265726f6f747381d82a58', 'hex'),
    Buffer.of(link.length),
    link,
    Buffer.from('6776657273696f6e01', 'hex'),
  ]);
  const sections = blocks.flatMap(({ cid, bytes }) => [heading(cid.bytes.length + bytes.length, cid), bytes]);
  return Buffer.concat([varint(header.length), header, ...sections]);
}
