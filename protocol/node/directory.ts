import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const permissions = 0o777;

/**
 * Makes a directory and those above it, one after the other. Node's own recursive mkdir never returns where a file system
 * has the parent and still answers that it is missing, as /proc does.
 */
export function makeDirectory(directory: string, mode = permissions): void {
  const path = resolve(directory);
  if (isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have been faster.
    if (!isDirectory(path)) throw error;
  }
}

const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
