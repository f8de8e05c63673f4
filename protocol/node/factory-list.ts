import { createPublicKey, type KeyObject } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type Bytes32,
  bytes32Schema,
  FirmproofError,
  type PublicKey,
  type Sha256Digest,
  sha256,
  sha256DigestSchema,
  shortened,
} from '@firmproof/protocol';
import { CsvError, parse } from 'csv-parse';
import * as z from 'zod';

/** A device as a factory lists it; `publicKey` is null where only the digest of the key is known. */
export type FactoryDevice = {
  readonly line: number;
  readonly device: string;
  readonly keyDigest: Sha256Digest;
  readonly publicKey: PublicKey | null;
  /** Given where the device is anchored already; else the server makes one. */
  readonly salt: Bytes32 | null;
};

/** What is wrong with one line, in words. */
export type FactoryMistake = { readonly line: number; readonly mistake: string };

export const isMistake = (item: FactoryDevice | FactoryMistake): item is FactoryMistake => 'mistake' in item;

/** A PEM of a few lines among quotes, with what else a factory notes beside it. */
const maximumRecordCharacters = 4096;
const keyColumns = ['key', 'publicKey', 'keyDigest'];
const spkiSizes: Readonly<Record<string, number>> = { ed25519: 44, ec: 91 };

/**
 * Reads a factory's list of devices from CSV (RFC 4180), a device at a time: a header that names `device`, one of `key`,
 * `publicKey` or `keyDigest`, perhaps `salt`, and columns that mean nothing here. A key is a PEM, a JWK, base64 of its SPKI
 * or the sha-256 of that. What is wrong with a line comes as a mistake, and the next line is read.
 * @throws FirmproofError `factory-list-malformed` for a list that cannot be read on
 */
export async function* readFactoryList(
  source: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<FactoryDevice | FactoryMistake> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maximumRecordCharacters,
  });
  // Pieces are large: two are enough to read ahead.
  const input = Readable.from(source, { highWaterMark: 2 });
  input.on('error', (error) => parser.destroy(error));
  let columns: ReturnType<typeof columnsOf> | undefined;
  try {
    for await (const { record, info } of input.pipe(parser) as AsyncIterable<{
      record: readonly string[];
      info: { lines: number };
    }>) {
      if (columns === undefined) columns = columnsOf(record);
      else yield readRecord(record, columns, info.lines);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = Number(error['lines']) || 1;
    throw new FirmproofError('factory-list-malformed', `line ${line} is no CSV: ${error.code}`, { cause: error });
  } finally {
    input.destroy();
  }
  if (columns === undefined) throw new FirmproofError('factory-list-malformed', 'the list is empty');
}

function columnsOf(header: readonly string[]) {
  const names = header.map((name) => name.trim());
  const only = (wanted: readonly string[]) => {
    const found = names.flatMap((name, index) => (wanted.includes(name) ? [index] : []));
    return found.length === 1 ? (found[0] ?? null) : null;
  };
  const [device, key] = [only(['device']), only(keyColumns)];
  if (device === null || key === null) {
    throw new FirmproofError(
      'factory-list-malformed',
      `the first line names no column device, and one of ${keyColumns.join(', ')}`,
    );
  }
  return { device, key, salt: only(['salt']), count: names.length };
}

function readRecord(
  record: readonly string[],
  columns: ReturnType<typeof columnsOf>,
  line: number,
): FactoryDevice | FactoryMistake {
  if (record.length !== columns.count)
    return { line, mistake: `it has ${record.length} columns, the first line ${columns.count}` };
  const cell = (index: number | null) => (index === null ? '' : (record[index] ?? '').trim());
  const device = z.uuid().safeParse(cell(columns.device).toLowerCase());
  if (!device.success) return { line, mistake: `"${shortened(cell(columns.device))}" is no device id (a UUID)` };
  const key = readKey(cell(columns.key));
  if (key === null)
    return { line, mistake: 'its key is no PEM, JWK, base64 or digest of a P-256 or Ed25519 public key' };
  const salt = cell(columns.salt);
  const parsedSalt = bytes32Schema.safeParse(salt);
  if (salt !== '' && !parsedSalt.success) return { line, mistake: 'its salt is no 0x and 64 hexadecimal digits' };
  return { line, device: device.data, ...key, salt: parsedSalt.data ?? null };
}

function readKey(text: string): Pick<FactoryDevice, 'keyDigest' | 'publicKey'> | null {
  const digest = sha256DigestSchema.safeParse(text.toLowerCase());
  if (digest.success) return { keyDigest: digest.data, publicKey: null };
  try {
    const key = keyObjectOf(text);
    const der = key.export({ format: 'der', type: 'spki' });
    const { asymmetricKeyType = '', asymmetricKeyDetails } = key;
    // The size tells compressed points: one key has one digest.
    if (der.length !== spkiSizes[asymmetricKeyType]) return null;
    if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve !== 'prime256v1') return null;
    return { keyDigest: sha256(der), publicKey: der.toString('base64') as PublicKey };
  } catch {
    return null;
  }
}

/** A private key is refused: whoever has it in a list must not have it there. */
function keyObjectOf(text: string): KeyObject {
  if (text.startsWith('{')) {
    const jwk = JSON.parse(text);
    if ('d' in jwk) throw new TypeError('a private key');
    return createPublicKey({ key: jwk, format: 'jwk' });
  }
  if (text.startsWith('-----BEGIN PUBLIC KEY-----')) return createPublicKey(text);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new TypeError('no base64');
  return createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
}
