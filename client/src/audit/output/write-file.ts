import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { FirmproofError } from '@firmproof/protocol';

const bufferedCharacters = 64 * 1024;

/**
 * Writes a text of any length, piece by piece; the file appears when it is whole.
 * @throws FirmproofError `file-not-found` where it cannot be written
 */
export function writeText(file: string, pieces: Iterable<string>): void {
  // A name that nobody could have put a link at before, and that two who write the same file do not share.
  const unfinished = `${file}.${randomUUID()}.part`;
  let handle: number;
  try {
    handle = openSync(unfinished, 'wx', 0o644);
  } catch (cause) {
    throw new FirmproofError('file-not-found', `${file} cannot be written`, { cause });
  }
  try {
    for (const text of inLargePieces(pieces)) {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done);
    }
    fsyncSync(handle);
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
}

function* inLargePieces(pieces: Iterable<string>): Generator<string> {
  let waiting = '';
  for (const piece of pieces) {
    waiting += piece;
    if (waiting.length < bufferedCharacters) continue;
    yield waiting;
    waiting = '';
  }
  yield waiting;
}
