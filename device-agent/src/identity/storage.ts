import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** What a directory lies on. */
export type Storage = { readonly mountPoint: string; readonly type: string; readonly readOnly: boolean };

const mountTable = '/proc/self/mountinfo';

/** The file system that holds a directory, or would hold it once it is made; null where there is no table of mounts. */
export function storageOf(directory: string, table = mountTable): Storage | null {
  if (!existsSync(table)) return null;
  const path = nearestExisting(resolve(directory));
  const mounts = readFileSync(table, 'utf8').split('\n').flatMap(parseMount);
  const holds = ({ mountPoint }: Storage) =>
    mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
  // Of mounts on one point the last hides the others.
  return mounts
    .filter(holds)
    .reduce<Storage | null>(
      (best, mount) => (best === null || mount.mountPoint.length >= best.mountPoint.length ? mount : best),
      null,
    );
}

/** The directory, or the one that it would be made in. */
export function nearestExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? realpathSync(path) : nearestExisting(dirname(path));
}

/** A line of proc_pid_mountinfo(5): `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/x rw` */
function parseMount(line: string): Storage[] {
  const [mount = '', superBlock = ''] = line.split(' - ');
  const [, , , , mountPoint, options = ''] = mount.split(' ');
  const [type, , superOptions = ''] = superBlock.split(' ');
  if (mountPoint === undefined || type === undefined) return [];
  const unescaped = mountPoint.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  const readOnly = [options, superOptions].some((list) => list.split(',').includes('ro'));
  return [{ mountPoint: unescaped, type, readOnly }];
}
