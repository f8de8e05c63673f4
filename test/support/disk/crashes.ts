import {
  type Change,
  type DiskNode,
  type Fate,
  type Operation,
  type Shape,
  shapeAfter,
  type Tree,
  treeOf,
  unsynced,
} from './model.ts';
import { digestOfTree } from './tree.ts';

/** A disk as a crash may leave it. */
export type CrashedDisk = { readonly tree: Tree; readonly after: number; readonly how: string };

/** More changes than this at once are not tried in every combination, but each by itself and all together. */
const combined = 4;

/**
 * Every disk that a crash before, between or after these operations may leave: nothing lost, as a killed process; and any
 * part of what was not synced lost or torn, as a power cut. Those that look the same come once.
 * @param options `from`: the first operation that a crash follows
 * @returns the disks, and how many crashes led to them
 */
export function crashesOf(
  root: DiskNode,
  operations: readonly Operation[],
  options: { readonly from: number } = { from: 0 },
): { readonly disks: readonly CrashedDisk[]; readonly crashes: number } {
  const seen = new Set<string>();
  const disks = new Map<string, CrashedDisk>();
  const numbers = new Map<object, number>();
  const numberOf = (thing: object) => numbers.get(thing) ?? numbers.set(thing, numbers.size + 1).size;
  const nameOf = (shape: Shape) =>
    [...shape]
      .map(([path, { node, applied }]) =>
        [path, numberOf(node), ...applied.map(({ change, fate }) => `${numberOf(change)}${fate}`)].join(' '),
      )
      .sort()
      .join('\n');
  let crashes = 0;
  for (let after = options.from; after <= operations.length; after += 1) {
    const done = operations.slice(0, after);
    for (const fates of fatesOf([...unsynced(done)])) {
      crashes += 1;
      const shape = shapeAfter(root, done, (change) => fates.get(change) ?? 'kept');
      const name = nameOf(shape);
      if (seen.has(name)) continue;
      seen.add(name);
      const tree = treeOf(shape);
      const digest = digestOfTree(tree);
      if (!disks.has(digest)) disks.set(digest, { tree, after, how: [...fates.values()].join(' ') || 'all synced' });
    }
  }
  return { disks: [...disks.values()], crashes };
}

type Fates = ReadonlyMap<Change, Fate>;

const fatesFor = (change: Change): readonly Fate[] =>
  change.kind === 'write' ? ['kept', 'lost', 'torn'] : ['kept', 'lost'];

function fatesOf(changes: readonly Change[]): readonly Fates[] {
  if (changes.length <= combined) return combinations(changes);
  const all = (fate: Fate): Fates => new Map(changes.map((change) => [change, fate]));
  const alone = changes.flatMap((change) => [
    new Map(all('kept')).set(change, 'lost'),
    new Map(all('lost')).set(change, 'kept'),
    ...(change.kind === 'write' ? [new Map(all('kept')).set(change, 'torn')] : []),
  ]);
  return [all('kept'), all('lost'), ...alone];
}

function combinations(changes: readonly Change[]): readonly Fates[] {
  return changes.reduce<readonly Fates[]>(
    (before, change) => before.flatMap((fates) => fatesFor(change).map((fate) => new Map(fates).set(change, fate))),
    [new Map()],
  );
}
