import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskNode, Tree } from './model.ts';

/** Reads what lies under a path, as it is now. */
export function readNode(path: string): DiskNode {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
  if (stat.isFile()) return { kind: 'file', start: readFileSync(path) };
  return { kind: 'directory', start: new Map(readdirSync(path).map((name) => [name, readNode(join(path, name))])) };
}

/** Makes a tree under a directory that does not exist yet. */
export function writeTree(tree: Tree, directory: string): void {
  for (const [path, content] of tree) {
    const file = `${directory}${path}`;
    if (content === null) mkdirSync(file);
    else if (typeof content === 'string') symlinkSync(content, file);
    else writeFileSync(file, content);
  }
}

/** One name for all trees that look the same to whoever starts from them. */
export function digestOfTree(tree: Tree): string {
  const hash = createHash('sha256');
  for (const [path, content] of [...tree].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const kind = content === null ? 'directory' : typeof content === 'string' ? 'link' : 'file';
    hash.update(`${path}\0${kind}\0${content?.length ?? 0}\0`).update(content ?? '');
  }
  return hash.digest('hex');
}
