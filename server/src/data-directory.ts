import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';
import { takeLock } from '@firmproof/protocol/node';
import { makeDirectory } from '@firmproof/protocol/node/directory';

function requireDirectory(directory: string): void {
  try {
    makeDirectory(directory, 0o700);
    accessSync(directory, constants.W_OK);
  } catch (cause) {
    throw new FirmproofError('config-invalid', `the data directory ${directory} cannot be written`, {
      hint: 'Check FIRMPROOF_DATA, the owner of the directory and its permissions.',
      cause,
    });
  }
}

/**
 * Takes the data directory for this process, and returns what gives it back. The lock of a process that died is taken over.
 * @throws FirmproofError `data-directory-in-use`, `config-invalid` when nothing can be written there
 */
export function lockDataDirectory(directory: string): () => void {
  requireDirectory(directory);
  const taken = takeLock(join(directory, 'server.pid'));
  if ('release' in taken) return taken.release;
  throw new FirmproofError('data-directory-in-use', `process ${taken.owner} works on ${directory}`);
}
