/** What a disk has been told, in the order in which it was told: of that, a power cut may keep any part that was not synced. */
export type DiskNode =
  | { readonly kind: 'file'; readonly start: Buffer }
  | { readonly kind: 'directory'; readonly start: ReadonlyMap<string, DiskNode> }
  | { readonly kind: 'link'; readonly target: string };

export type Entry = { readonly directory: DiskNode; readonly name: string; readonly node: DiskNode | null };

export type Change =
  /** Names appear, disappear or move, all of them at once: a directory is journalled. */
  | { readonly kind: 'names'; readonly entries: readonly Entry[] }
  | { readonly kind: 'write'; readonly node: DiskNode; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly node: DiskNode; readonly sizeBytes: number };

export type Operation =
  | Change
  | { readonly kind: 'sync'; readonly node: DiskNode }
  /** Looks, opens, closes: nothing changes. */
  | { readonly kind: 'look' };

const isChange = (operation: Operation): operation is Change => operation.kind !== 'sync' && operation.kind !== 'look';

/** What becomes of a change that was not synced: as it was told, not at all, or, of a write, the beginning alone. */
export type Fate = 'kept' | 'lost' | 'torn';

/** The changes among these operations that no sync has reached. */
export function unsynced(operations: readonly Operation[]): ReadonlySet<Change> {
  const waiting = new Set<Change>();
  for (const operation of operations) {
    if (isChange(operation)) waiting.add(operation);
    else if (operation.kind === 'sync')
      for (const change of waiting) if (reaches(operation.node, change)) waiting.delete(change);
  }
  return waiting;
}

const reaches = (node: DiskNode, change: Change): boolean =>
  change.kind === 'names' ? change.entries.every(({ directory }) => directory === node) : change.node === node;

/** A directory tree as it is on the disk: paths to a file's bytes, a link's target, or null for a directory. */
export type Tree = ReadonlyMap<string, Buffer | string | null>;

type Applied = { readonly change: Change; readonly fate: Fate };

/** A tree before anybody looks into its files: what is where, and what became of it. */
export type Shape = ReadonlyMap<string, { readonly node: DiskNode; readonly applied: readonly Applied[] }>;

/** What lies where after these operations, with what is not kept left out. */
export function shapeAfter(
  root: DiskNode,
  operations: readonly Operation[],
  fateOf: (change: Change) => Fate = () => 'kept',
): Shape {
  const applied = new Map<DiskNode, Applied[]>();
  const directories = new Map<DiskNode, Map<string, DiskNode>>();
  const namesOf = (node: DiskNode) => {
    const names = directories.get(node) ?? new Map(node.kind === 'directory' ? node.start : []);
    directories.set(node, names);
    return names;
  };
  for (const change of operations) {
    if (!isChange(change)) continue;
    const fate = fateOf(change);
    if (fate === 'lost') continue;
    if (change.kind !== 'names') {
      applied.set(change.node, [...(applied.get(change.node) ?? []), { change, fate }]);
      continue;
    }
    for (const { directory, name, node } of change.entries) {
      if (node === null) namesOf(directory).delete(name);
      else namesOf(directory).set(name, node);
    }
  }
  const shape = new Map<string, { node: DiskNode; applied: readonly Applied[] }>();
  const visit = (node: DiskNode, path: string) => {
    shape.set(path, { node, applied: applied.get(node) ?? [] });
    if (node.kind === 'directory') for (const [name, child] of namesOf(node)) visit(child, `${path}/${name}`);
  };
  visit(root, '');
  return shape;
}

export function treeOf(shape: Shape): Tree {
  return new Map([...shape].map(([path, { node, applied }]) => [path, contentOf(node, applied)]));
}

function contentOf(node: DiskNode, applied: readonly Applied[]): Buffer | string | null {
  if (node.kind !== 'file') return node.kind === 'link' ? node.target : null;
  return applied.reduce((bytes, { change, fate }) => {
    if (change.kind === 'truncate') return resized(bytes, change.sizeBytes);
    if (change.kind !== 'write') return bytes;
    const written = fate === 'torn' ? change.bytes.subarray(0, change.bytes.length >> 1) : change.bytes;
    const after = resized(bytes, Math.max(bytes.length, change.position + written.length));
    written.copy(after, change.position);
    return after;
  }, node.start);
}

function resized(bytes: Buffer, sizeBytes: number): Buffer {
  const after = Buffer.alloc(sizeBytes);
  bytes.copy(after, 0, 0, Math.min(bytes.length, sizeBytes));
  return after;
}
