import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
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
  makeDirectory(directory);
  const file = join(directory, 'server.pid');
  for (;;) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const owner = Number(readFileSync(file, 'utf8'));
      if (owner !== process.pid && Number.isInteger(owner) && owner > 0 && isRunning(owner)) {
        throw new FirmproofError('data-directory-in-use', `process ${owner} works on ${directory}`);
      }
      rmSync(file, { force: true });
    }
  }
}
