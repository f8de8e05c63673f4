import * as z from 'zod';
import { abiWord, type Bytes32, bytes32Schema, fromHex, keccak256 } from './bytes.ts';
import { bytes32OfDigest, type Sha256Digest, sha256DigestSchema } from './digest.ts';
import { FirmproofError } from './errors.ts';
import type { ProductId } from './names.ts';

/** A device as a batch names it: sha-256 of its public key's SPKI, and the salt that keeps others from guessing its leaf. */
export const batchDeviceSchema = z
  .object({ device: z.uuid(), keyDigest: sha256DigestSchema, salt: bytes32Schema })
  .meta({ id: 'BatchDevice' });
export type BatchDevice = z.infer<typeof batchDeviceSchema>;

/** Devices of one product that are anchored together under one Merkle root. */
export type DeviceBatch = { readonly product: ProductId; readonly devices: readonly BatchDevice[] };

/** As many as one list may name (N4.3): a server keeps 64 bytes of tree for each. */
export const maximumBatchDevices = 250_000;

/**
 * The leaf of a device (N1): keccak256(keccak256(abi.encode(product, keyDigest, salt))). Hashed twice, as OpenZeppelin's
 * StandardMerkleTree does it, so that no node of a tree can be taken for a leaf. N… are of docs/spec/device-anchor.md.
 */
export function deviceLeaf(product: ProductId, keyDigest: Sha256Digest, salt: Bytes32): Bytes32 {
  return keccak256(fromHex(keccak256(abiWord(product), abiWord(bytes32OfDigest(keyDigest)), abiWord(salt))));
}

/** The first line of a list of devices as CSV. */
export const deviceListHeader = 'device,keyDigest,salt';

const deviceListLine = ({ device, keyDigest, salt }: BatchDevice): string => `${device},${keyDigest},${salt}`;

/**
 * Reads a list of devices as CSV, line by line (N4).
 * @throws FirmproofError `device-list-malformed`, naming the line
 */
export const parseDeviceList = (text: string): readonly BatchDevice[] => [...parseDeviceLines(text)];

/**
 * The same, a device at a time.
 * @throws FirmproofError `device-list-malformed`, naming the line
 */
export function* parseDeviceLines(text: string): Generator<BatchDevice> {
  const [header, ...lines] = text.split('\n');
  if (header !== deviceListHeader)
    throw new FirmproofError('device-list-malformed', `the list does not begin with ${deviceListHeader}`);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > maximumBatchDevices)
    throw new FirmproofError('device-list-malformed', `a list names at most ${maximumBatchDevices} devices`);
  for (const [index, line] of lines.entries()) yield parseDeviceLine(line, index + 2);
}

/** The list as CSV. */
export const formatDeviceList = (devices: readonly BatchDevice[]): string =>
  [deviceListHeader, ...devices.map(deviceListLine), ''].join('\n');

/** The leaves of a batch, in its order, each computed when it is asked for. */
export function* leavesOf({
  product,
  devices,
}: {
  readonly product: ProductId;
  readonly devices: Iterable<BatchDevice>;
}): Generator<Bytes32> {
  for (const { keyDigest, salt } of devices) yield deviceLeaf(product, keyDigest, salt);
}

/**
 * One line of a list of devices, without its line break.
 * @throws FirmproofError `device-list-malformed`
 */
function parseDeviceLine(line: string, lineNumber: number): BatchDevice {
  const [device, keyDigest, salt, ...more] = line.split(',');
  const parsed = batchDeviceSchema.safeParse({ device, keyDigest, salt });
  if (parsed.success && more.length === 0) return parsed.data;
  throw new FirmproofError('device-list-malformed', `line ${lineNumber} of the list is no ${deviceListHeader}`);
}
