import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { FirmproofError } from '@firmproof/protocol';
import { isMistake, readFactoryList } from '@firmproof/protocol/node/factory-list';

const maximumNamedLines = 20;

/** A factory's list in a file, read in pieces. @throws FirmproofError `file-not-found` */
export async function openFactoryFile(file: string) {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) throw new FirmproofError('file-not-found', `${file} cannot be read`);
  return {
    sizeBytes: found.size,
    /** Reads the file from its beginning, and says how far it is. */
    async *read(onProgress: (doneBytes: number) => void): AsyncGenerator<Uint8Array> {
      let doneBytes = 0;
      for await (const chunk of createReadStream(file)) {
        yield chunk;
        doneBytes += chunk.length;
        onProgress(doneBytes);
      }
    },
  };
}

/**
 * Reads a factory's list to its end and answers how many devices it names.
 * @throws FirmproofError `factory-list-malformed`, naming the lines
 */
export async function checkFactoryList(list: AsyncIterable<Uint8Array>): Promise<number> {
  const lines: string[] = [];
  let devices = 0;
  for await (const item of readFactoryList(list)) {
    devices += 1;
    if (isMistake(item)) lines.push(`line ${item.line}: ${item.mistake}`);
    if (lines.length >= maximumNamedLines) break;
  }
  if (lines.length > 0) throw new FirmproofError('factory-list-malformed', lines.join('; '), { details: { lines } });
  if (devices === 0) throw new FirmproofError('factory-list-malformed', 'the list names no device');
  return devices;
}
