import { FirmproofError } from '@firmproof/protocol';

const storageFull = ['ENOSPC', 'EDQUOT'];

/** Whether the file system has refused to write for want of room. */
export function isStorageFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && storageFull.includes(String(error.code));
}

/** A refusal of the file system about a path, as `file-not-found`; everything else as it is. For commands, at their edge. */
export function explainSystemError(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && 'path' in error)) return error;
  return new FirmproofError('file-not-found', `${error.path} cannot be read or written (${error.code})`, {
    cause: error,
  });
}
