import { readFileSync } from 'node:fs';
import { FirmproofError } from '@firmproof/protocol';

/** @throws FirmproofError `file-not-found` */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FirmproofError('file-not-found', `${file} cannot be read`, { cause });
  }
}
