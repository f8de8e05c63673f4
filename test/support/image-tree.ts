import { type Cid, dagPbCodec, parseCid, partsOfCid, sha256 } from '@firmproof/protocol';
import * as dagPb from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';

export type Block = { readonly cid: Cid; readonly bytes: Uint8Array; readonly fileBytes: number };

const rawCodec = 0x55;

function block(codec: number, bytes: Uint8Array, fileBytes: number): Block {
  const digest = create(0x12, Buffer.from(sha256(bytes), 'hex'));
  return { cid: parseCid(CID.createV1(codec, digest).toString()), bytes, fileBytes };
}

export const leafOf = (bytes: Uint8Array): Block => block(rawCodec, bytes, bytes.length);

/** A node over other blocks, as any UnixFS importer makes them; the same one may stand in it many times. */
export function nodeOver(children: readonly Block[]): Block {
  const fileBytes = children.reduce((sum, child) => sum + child.fileBytes, 0);
  const file = new UnixFS({ type: 'file', blockSizes: children.map((child) => BigInt(child.fileBytes)) });
  const links = children.map(({ cid, bytes }) => ({ Name: '', Tsize: bytes.length, Hash: CID.parse(cid) }));
  return block(dagPbCodec, dagPb.encode({ Data: file.marshal(), Links: links }), fileBytes);
}

export const isLeaf = (cid: Cid): boolean => partsOfCid(cid).codec === rawCodec;
