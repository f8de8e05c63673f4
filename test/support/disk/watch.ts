import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { DiskNode, Entry, Operation } from './model.ts';
import { readNode } from './tree.ts';

/** What a process does on the disk, under one directory. */
export type DiskWatch = {
  /** The directory as it was at the beginning. */
  readonly root: DiskNode;
  /** In order. */
  readonly operations: readonly Operation[];
  /** Calls of node:fs; some are several operations. */
  readonly calls: () => number;
  /** Calls that would change something elsewhere. */
  readonly strays: readonly string[];
  stop(): void;
};

type Call = (...args: never[]) => unknown;
type Module = Record<string, Call>;
type FileHandle = fs.promises.FileHandle;

const looks = new Set([
  // Modes are no content: the agent sets them again whenever it opens a slot.
  'chmod',
  'access',
  'exists',
  'stat',
  'lstat',
  'fstat',
  'readlink',
  'readdir',
  'realpath',
  'statfs',
  'readFile',
  'read',
  'close',
]);
const changes = new Set([
  'open',
  'write',
  'writeFile',
  'appendFile',
  'rename',
  'link',
  'symlink',
  'unlink',
  'rm',
  'mkdir',
  'truncate',
  'ftruncate',
  'sync',
  'datasync',
  'fsync',
  'fdatasync',
]);

/**
 * Patches all of node:fs, node:fs/promises and their file handles, so that every call that concerns the directory is seen
 * before it is made. A call that is not understood throws: none goes by unnoticed.
 * @param onCall told of each call and its number before it is made; it may end the process
 */
export function watchDisk(
  directory: string,
  onCall: (what: string, number: number) => void = () => undefined,
): DiskWatch {
  const top = resolve(directory);
  const root = readNode(top);
  const operations: Operation[] = [];
  const strays: string[] = [];
  const inside = new AsyncLocalStorage<true>();
  const disk = new LiveDisk(top, root);
  const undo: (() => void)[] = [];
  let calls = 0;

  /** Runs a call and, when it has succeeded, notes what it has changed. What it does by itself is part of it. */
  const see = (what: string, original: Call, self: unknown, args: unknown[], name: string, ofHandle: number | null) => {
    const call = () => Reflect.apply(original, self, args);
    if (inside.getStore()) return call();
    const subject = ofHandle ?? args[name === 'symlink' ? 1 : 0];
    if (!disk.concerns(subject)) {
      if (typeof subject === 'string' && isStray(name, subject, args)) strays.push(`${what} ${subject}`);
      return call();
    }
    if (!looks.has(name) && !changes.has(name)) throw new Error(`the watch does not know ${what}`);
    calls += 1;
    onCall(`${what} ${typeof subject === 'string' ? subject : ''}`.trim(), calls);
    const done = disk.understand(name, subject, ofHandle === null ? args : [null, ...args]);
    const note = (result: unknown) => {
      operations.push(...done(result));
      if (result instanceof Object && 'fd' in result) watchClose(result as FileHandle);
      return result;
    };
    const result = inside.run(true, call);
    return result instanceof Promise ? result.then(note) : note(result);
  };

  /** `close` is each handle's own, and no method of all of them. */
  const watchClose = (handle: FileHandle) => {
    const { close, fd } = handle;
    handle.close = () => see('FileHandle.close', close as Call, handle, [], 'close', fd) as Promise<void>;
  };

  const patch = (module: Module, key: string, wrap: (original: Call) => Call) => {
    const original = module[key] as Call;
    module[key] = wrap(original);
    undo.push(() => {
      module[key] = original;
    });
  };

  for (const key of Object.getOwnPropertyNames(handlePrototype)) {
    if (['constructor', 'getAsyncId', 'fd'].includes(key)) continue;
    patch(
      handlePrototype,
      key,
      (original) =>
        function (this: { fd: number }, ...args: unknown[]) {
          return see(`FileHandle.${key}`, original, this, args, key, this.fd);
        } as Call,
    );
  }
  const promises = fs.promises as unknown as Module;
  for (const key of functionsOf(promises)) {
    patch(
      promises,
      key,
      (original) => ((...args: unknown[]) => see(`promises.${key}`, original, promises, args, key, null)) as Call,
    );
  }
  const plain = fs as unknown as Module;
  for (const key of functionsOf(plain)) {
    // With a callback, or as a stream: the agent has neither.
    const name = key.endsWith('Sync') ? key.slice(0, -4) : `${key} with a callback`;
    patch(plain, key, (original) =>
      Object.assign(((...args: unknown[]) => see(key, original, fs, args, name, null)) as Call, original),
    );
  }
  syncBuiltinESMExports();
  return {
    root,
    operations,
    strays,
    calls: () => calls,
    stop() {
      for (const put of undo) put();
      syncBuiltinESMExports();
    },
  };
}

const functionsOf = (module: Module) =>
  Object.keys(module).filter((key) => typeof module[key] === 'function' && /^[a-z]/.test(key));

const anyHandle = await fs.promises.open(tmpdir(), 'r');
const handlePrototype = Object.getPrototypeOf(anyHandle) as Module;
await anyHandle.close();

function isStray(name: string, path: string, args: unknown[]): boolean {
  if (path.startsWith('/proc/') || path.startsWith('/dev/')) return false;
  if (name === 'open') return args[1] !== undefined && args[1] !== 'r' && flagsOf(args[1]).writes;
  return changes.has(name);
}

function flagsOf(flags: unknown): { readonly creates: boolean; readonly truncates: boolean; readonly writes: boolean } {
  const { O_CREAT, O_TRUNC, O_WRONLY, O_RDWR } = fs.constants;
  const named: Record<string, number> = {
    r: 0,
    'r+': O_RDWR,
    w: O_WRONLY | O_CREAT | O_TRUNC,
    'w+': O_RDWR | O_CREAT | O_TRUNC,
  };
  const bits = typeof flags === 'number' ? flags : named[String(flags)];
  if (bits === undefined) throw new Error(`the watch does not know the flags ${String(flags)}`);
  return { creates: (bits & O_CREAT) > 0, truncates: (bits & O_TRUNC) > 0, writes: (bits & (O_WRONLY | O_RDWR)) > 0 };
}

const look: Operation = { kind: 'look' };

/** The tree as the process sees it, to know what its calls are about. */
class LiveDisk {
  readonly #top: string;
  readonly #nodes = new Map<string, DiskNode>();
  readonly #opened = new Map<number, DiskNode>();

  constructor(top: string, root: DiskNode) {
    this.#top = top;
    const visit = (node: DiskNode, path: string) => {
      this.#nodes.set(path, node);
      if (node.kind === 'directory') for (const [name, child] of node.start) visit(child, join(path, name));
    };
    visit(root, top);
  }

  contains(path: string): boolean {
    const full = resolve(path);
    return full === this.#top || full.startsWith(`${this.#top}/`);
  }

  concerns(subject: unknown): boolean {
    if (typeof subject === 'number') return this.#opened.has(subject);
    return typeof subject === 'string' && this.contains(subject);
  }

  /** What a call will have done once it has succeeded. */
  understand(name: string, subject: unknown, args: unknown[]): (result: unknown) => Operation[] {
    if (typeof subject === 'number') return this.#onOpened(name, subject, args);
    const path = resolve(String(subject));
    const other = resolve(String(args[1]));
    switch (name) {
      case 'open':
        return this.#open(path, args[1] ?? 'r');
      case 'writeFile': {
        const options = args[2];
        if (options instanceof Object && 'flag' in options) throw new Error('the watch knows no flags of writeFile');
        return () => [...this.#emptied(path), write(this.#at(path), 0, args[1]), look];
      }
      case 'rename': {
        const node = this.#at(path);
        return () => [this.#names([path, null], [other, node])];
      }
      case 'link': {
        const node = this.#at(path);
        return () => [this.#names([other, node])];
      }
      case 'mkdir':
        if (args[1] instanceof Object && 'recursive' in args[1])
          throw new Error('the watch makes one directory at a time');
        return () => [this.#names([path, { kind: 'directory', start: new Map() }])];
      case 'symlink':
        return () => [this.#names([path, { kind: 'link', target: String(args[0]) }])];
      case 'rm':
      case 'unlink': {
        const there = this.#nodes.get(path);
        if (there?.kind === 'directory') throw new Error(`the watch does not remove directories: ${path}`);
        return () => [there ? this.#names([path, null]) : look];
      }
      case 'truncate':
        return () => [{ kind: 'truncate', node: this.#at(path), sizeBytes: Number(args[1] ?? 0) }];
      default:
        if (!looks.has(name)) throw new Error(`the watch does not know ${name} of a path`);
        return () => [look];
    }
  }

  #onOpened(name: string, descriptor: number, args: unknown[]): (result: unknown) => Operation[] {
    const node = this.#opened.get(descriptor);
    if (node === undefined) throw new Error(`descriptor ${descriptor} is not open`);
    switch (name) {
      case 'close':
        this.#opened.delete(descriptor);
        return () => [look];
      case 'sync':
      case 'datasync':
      case 'fsync':
      case 'fdatasync':
        return () => [{ kind: 'sync', node }];
      case 'truncate':
      case 'ftruncate':
        return () => [{ kind: 'truncate', node, sizeBytes: Number(args[1] ?? 0) }];
      case 'writeFile':
        // From the beginning: no other write has moved the position of this descriptor.
        return () => [write(node, 0, args[1])];
      case 'write': {
        const [, data, offset = 0, length, position] = args as [null, Uint8Array, number?, number?, number?];
        if (typeof position !== 'number') throw new Error('the watch knows writes at a position only');
        const bytes = Buffer.from(data.subarray(offset, offset + (length ?? data.length - offset)));
        return () => [{ kind: 'write', node, position, bytes }];
      }
      default:
        if (!looks.has(name)) throw new Error(`the watch does not know ${name} of a descriptor`);
        return () => [look];
    }
  }

  #open(path: string, flags: unknown): (result: unknown) => Operation[] {
    const { creates, truncates } = flagsOf(flags);
    return (result) => {
      const there = this.#nodes.get(path);
      const done = there ? (truncates ? this.#emptied(path) : [look]) : creates ? this.#emptied(path) : [look];
      const node = this.#at(path);
      const descriptor = typeof result === 'number' ? result : (result as FileHandle).fd;
      this.#opened.set(descriptor, node);
      return done;
    };
  }

  #emptied(path: string): Operation[] {
    const there = this.#nodes.get(path);
    if (there) return [{ kind: 'truncate', node: there, sizeBytes: 0 }];
    return [this.#names([path, { kind: 'file', start: Buffer.alloc(0) }])];
  }

  #at(path: string): DiskNode {
    const node = this.#nodes.get(path);
    if (node === undefined) throw new Error(`the watch does not know ${path}`);
    return node;
  }

  #names(...entries: readonly (readonly [string, DiskNode | null])[]): Operation {
    const named: Entry[] = entries.map(([path, node]) => ({
      directory: this.#at(dirname(path)),
      name: basename(path),
      node,
    }));
    for (const [path, node] of entries) {
      if (node === null) this.#nodes.delete(path);
      else this.#nodes.set(path, node);
    }
    return { kind: 'names', entries: named };
  }
}

function write(node: DiskNode, position: number, data: unknown): Operation {
  return {
    kind: 'write',
    node,
    position,
    bytes: typeof data === 'string' ? Buffer.from(data) : Buffer.from(data as Uint8Array),
  };
}
