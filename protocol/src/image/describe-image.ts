import { sha256 } from '@noble/hashes/sha2.js';
import { CID } from 'multiformats/cid';
import { sha256 as leafHash } from 'multiformats/hashes/sha2';
import { type Cid, parseCid, rawCodec } from '../cid.ts';
import { bytesToDigestText, type Sha256Digest } from '../digest.ts';
import { FirmproofError } from '../errors.ts';
import { growTree, leafBytes } from './unixfs-tree.ts';

/** What is known of an image once all its bytes have gone by. */
export type ImportedImage = { readonly digest: Sha256Digest; readonly cid: Cid; readonly sizeBytes: number };

/**
 * Digest and CID of an image (docs/spec/release.md R2), in constant memory, wherever there is no Node: a browser.
 * @param read bytes from `offset` on, `length` of them
 * @throws FirmproofError `image-empty`
 */
export async function describeImage(
  sizeBytes: number,
  read: (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>,
  onProgress: (doneBytes: number) => void = () => {},
): Promise<ImportedImage> {
  if (sizeBytes === 0) throw new FirmproofError('image-empty', 'the image has no bytes');
  const whole = sha256.create();
  const tree = growTree(() => {});
  for (let offset = 0; offset < sizeBytes; ) {
    const leaf = await read(offset, Math.min(leafBytes, sizeBytes - offset));
    whole.update(leaf);
    const cid = CID.createV1(rawCodec, await leafHash.digest(leaf));
    await tree.push({ cid, fileBytes: leaf.length, treeBytes: leaf.length });
    offset += leaf.length;
    onProgress(offset);
  }
  const { cid } = await tree.root();
  return { digest: bytesToDigestText(whole.digest()), cid: parseCid(cid.toString()), sizeBytes };
}
