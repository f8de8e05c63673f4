import * as z from 'zod';
import { cidSchema } from './cid.ts';
import { parseJson } from './json.ts';
import { channelSchema, productIdSchema, versionSchema } from './names.ts';

/** Codec dag-json of the root block: any IPLD tool follows its links. */
export const dagJsonCodec = 0x0129;
/** The root block, in bytes. */
export const maximumOfflineRootBytes = 4096;
/** So many blocks a file may have: 64 GiB of image in blocks of 1 MiB. */
export const maximumOfflineBlocks = 1 << 16;

const linkSchema = z.object({ '/': cidSchema }).transform((link) => link['/']);

const offlineRootSchema = z.object({
  offlineVersion: z.literal(1),
  product: productIdSchema,
  channel: channelSchema,
  version: versionSchema,
  /** Raw block: the evidence document. */
  evidence: linkSchema,
  /** Raw block: `{"items": […]}`, all trust roots of the product in order. */
  trustRoots: linkSchema,
  /** Raw block: the attestation. */
  attestation: linkSchema,
  /** The image as UnixFS. */
  image: linkSchema,
});

/** What the root block of an offline file names. Claims: nothing of it is believed, the parts are what is proved. */
export type OfflineRoot = z.output<typeof offlineRootSchema>;

/** @throws FirmproofError `offline-file-malformed` */
export function parseOfflineRoot(text: string): OfflineRoot {
  return parseJson(text, offlineRootSchema, {
    code: 'offline-file-malformed',
    maximumBytes: maximumOfflineRootBytes,
    what: 'the root block of the offline file',
  });
}

/** The text of a root block: dag-json, whose keys are sorted and which has no white space. */
export function offlineRootText(root: OfflineRoot): string {
  const link = (cid: string) => ({ '/': cid });
  const { product, channel, version } = root;
  return JSON.stringify({
    attestation: link(root.attestation),
    channel,
    evidence: link(root.evidence),
    image: link(root.image),
    offlineVersion: root.offlineVersion,
    product,
    trustRoots: link(root.trustRoots),
    version,
  });
}
