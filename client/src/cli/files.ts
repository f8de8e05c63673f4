import { readFileSync } from 'node:fs';
import { FirmproofError } from '@firmproof/protocol';

/** @throws FirmproofError `file-not-found` */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const isDirectory = cause instanceof Error && 'code' in cause && cause.code === 'EISDIR';
    throw new FirmproofError('file-not-found', `${file} ${isDirectory ? 'is a directory' : 'cannot be read'}`, {
      cause,
    });
  }
}
