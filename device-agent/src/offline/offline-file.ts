import { type FileHandle, open } from 'node:fs/promises';
import {
  type Channel,
  type Cid,
  dagJsonCodec,
  type Envelope,
  type Evidence,
  FirmproofError,
  maximumEvidenceBytes,
  maximumOfflineRootBytes,
  type OfflineRoot,
  parseEvidence,
  parseOfflineRoot,
  parseTrustRoots,
  partsOfCid,
  sha256,
  type TrustRoot,
  utf8Text,
} from '@firmproof/protocol';
import { type CarIndex, indexCar, type Section, sectionKey } from './car-index.ts';

/** One file that has what a server and a gateway would give (docs/spec/device.md D30): one more source, believed no more. */
export class OfflineFile {
  readonly path: string;
  readonly root: OfflineRoot;
  readonly #handle: FileHandle;
  readonly #index: CarIndex;

  private constructor(path: string, root: OfflineRoot, handle: FileHandle, index: CarIndex) {
    this.path = path;
    this.root = root;
    this.#handle = handle;
    this.#index = index;
  }

  /** @throws FirmproofError `file-not-found`, `offline-file-malformed`, `offline-file-incomplete`, `block-digest-mismatch` */
  static async open(path: string): Promise<OfflineFile> {
    const handle = await openToRead(path);
    try {
      const index = await indexCar(handle, maximumEvidenceBytes);
      const section = index.sections.get(index.root);
      if (section === undefined) throw incomplete('root block');
      if (section.sizeBytes > maximumOfflineRootBytes)
        throw new FirmproofError('offline-file-malformed', `the root block has ${section.sizeBytes} bytes`);
      const bytes = await readBlock(handle, section, index.root.slice(`${dagJsonCodec}:`.length));
      const root = parseOfflineRoot(utf8Text(bytes, 'offline-file-malformed', 'the root block'));
      const file = new OfflineFile(path, root, handle, index);
      for (const part of ['evidence', 'trustRoots', 'attestation', 'image'] as const) {
        if (file.#sectionOf(root[part]) === undefined) throw incomplete(part);
      }
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** @throws FirmproofError `offline-file-mismatch`, `block-digest-mismatch`, `evidence-malformed` */
  async evidence(held: TrustRoot, channel: Channel): Promise<Evidence> {
    if (this.root.product !== held.product || this.root.channel !== channel) {
      throw new FirmproofError(
        'offline-file-mismatch',
        `the file is for channel ${this.root.channel} of ${this.root.product}, this device follows ${channel} of ${held.product}`,
      );
    }
    return parseEvidence(utf8Text(await this.block(this.root.evidence), 'evidence-malformed', 'the evidence'));
  }

  /** All trust roots of the product, in order. @throws FirmproofError `block-digest-mismatch`, `trust-root-malformed` */
  async trustRoots(): Promise<readonly Envelope[]> {
    return parseTrustRoots(utf8Text(await this.block(this.root.trustRoots), 'trust-root-malformed', 'the trust roots'));
  }

  /** A block, hashed. @throws FirmproofError `offline-file-incomplete`, `block-digest-mismatch` */
  async block(cid: Cid): Promise<Uint8Array> {
    const section = this.#sectionOf(cid);
    if (section === undefined) throw incomplete(`block ${cid}`);
    return readBlock(this.#handle, section, partsOfCid(cid).digest);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #sectionOf(cid: Cid): Section | undefined {
    const { codec, digest } = partsOfCid(cid);
    return this.#index.sections.get(sectionKey(codec, digest));
  }
}

const incomplete = (part: string) => new FirmproofError('offline-file-incomplete', `the file lacks its ${part}`);

async function openToRead(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (cause) {
    throw new FirmproofError('file-not-found', `${path} cannot be read`, { cause });
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new FirmproofError('file-not-found', `${path} is no file`);
}

/** The stick may change under the reader: what is used is what was hashed. */
async function readBlock(handle: FileHandle, { offset, sizeBytes }: Section, digest: string): Promise<Uint8Array> {
  const bytes = Buffer.alloc(sizeBytes);
  for (let filled = 0; filled < sizeBytes; ) {
    const { bytesRead } = await handle.read(bytes, filled, sizeBytes - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  if (sha256(bytes) !== digest)
    throw new FirmproofError('block-digest-mismatch', `the file has other bytes than block ${digest}`);
  return bytes;
}
