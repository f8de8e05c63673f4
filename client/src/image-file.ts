import { statSync } from 'node:fs';
import { FirmproofError } from '@firmproof/protocol';

/** The size of an image in bytes. @throws FirmproofError `file-not-found`, also for a directory */
export function sizeOfImage(file: string): number {
  const found = statOf(file);
  if (found.isDirectory()) throw new FirmproofError('file-not-found', `${file} is a directory, not an image`);
  return found.size;
}

function statOf(file: string) {
  try {
    return statSync(file);
  } catch (cause) {
    throw new FirmproofError('file-not-found', `the image ${file} cannot be read`, { cause });
  }
}
