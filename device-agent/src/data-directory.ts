import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';

/** Everything that the agent writes there. */
const agentFile = /^agent\.pid$|\.(?:json|key)(?:\.damaged|\.new)?$/;

/**
 * The text of a file of the agent, null where there is none. Missing is what the file system says is missing, and nothing
 * else (docs/spec/device.md K5).
 * @throws FirmproofError `data-unreadable`
 */
export function readDataFile(file: string): string | null {
  return orUnreadable(file, () => readFileSync(file, 'utf8'));
}

/**
 * Before anything is written: the directory belongs to this user, root or not, and so all that is made in it will; and what
 * is in it can be read (K5). A directory that is still to be made is in order.
 * @throws FirmproofError `data-of-another-user`, `data-unreadable`
 */
export function requireOwnDirectory(directory: string): void {
  const stat = orUnreadable(directory, () => statSync(directory));
  if (stat === null) return;
  const user = process.geteuid?.();
  if (user !== undefined && stat.uid !== user) {
    throw new FirmproofError(
      'data-of-another-user',
      `${directory} belongs to ${nameOf(stat.uid)}, and this runs as ${nameOf(user)}`,
      { hint: wayToOwner(directory, stat.uid) },
    );
  }
  for (const name of orUnreadable(directory, () => readdirSync(directory)) ?? []) {
    const file = join(directory, name);
    if (agentFile.test(name)) orUnreadable(file, () => closeSync(openSync(file, 'r')));
  }
}

function orUnreadable<Value>(path: string, read: () => Value): Value | null {
  try {
    return read();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    if (code === 'ENOENT') return null;
    throw unreadable(path, code, cause);
  }
}

function unreadable(path: string, code: string, cause: unknown): FirmproofError {
  const owner = ownerOf(path);
  const user = process.geteuid?.();
  const isRight = code === 'EACCES' || code === 'EPERM';
  const whose =
    isRight && owner !== null && user !== undefined
      ? `: it belongs to ${nameOf(owner)}, and this runs as ${nameOf(user)}`
      : '';
  return new FirmproofError('data-unreadable', `${path} cannot be read (${code})${whose}`, {
    cause,
    ...(isRight && { hint: wayIn(path, owner) }),
  });
}

/** A file of another owner than its directory was made by somebody who should not have; else it is this user who is wrong here. */
function wayIn(path: string, owner: number | null): string {
  const directory = ownerOf(dirname(resolve(path)));
  const isForeign = owner !== null && directory !== null && directory === process.geteuid?.() && owner !== directory;
  if (isForeign) return `As root, give it to the agent's user: chown ${loginOf(directory)}: ${path}`;
  return wayToOwner(path, directory ?? owner ?? 0);
}

const wayToOwner = (path: string, owner: number): string =>
  owner === 0
    ? `Run it as root, or give ${path} to the user that the agent runs as (chown -R).`
    : `Run it as that user: runuser -u ${loginOf(owner)} -- firmproof-agent …`;

/** Of the path or, where that may not even be asked, of the nearest directory that may. */
function ownerOf(path: string): number | null {
  try {
    return statSync(path).uid;
  } catch {
    const parent = dirname(resolve(path));
    return parent === path ? null : ownerOf(parent);
  }
}

const nameOf = (user: number): string => `${loginOf(user)} (uid ${user})`;

function loginOf(user: number): string {
  const lines = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8').split('\n') : [];
  const entry = lines.map((line) => line.split(':')).find(([, , uid]) => uid === String(user));
  return entry?.[0] ?? `#${user}`;
}
