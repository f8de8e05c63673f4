import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { programPath } from '../../device-agent/src/installers/program.ts';

function hasTool(name: string): boolean {
  return programPath.split(delimiter).some((directory) => existsSync(join(directory, name)));
}

/** Why a test that needs these programs and files, and perhaps the rights of root, cannot run here; null when it can. */
export function lacks(
  tools: readonly string[],
  { root = false, files = [] }: { readonly root?: boolean; readonly files?: readonly string[] } = {},
): string | null {
  const missing = [...tools.filter((name) => !hasTool(name)), ...files.filter((file) => !existsSync(file))];
  if (missing.length > 0) return `${missing.join(', ')} not installed`;
  if (tools.includes('fw_setenv') && !mayLock()) return `${uBootLock} belongs to somebody else`;
  return root && process.getuid?.() !== 0 ? 'not root' : null;
}

/** What `fw_setenv` locks, whatever environment it is about. */
const uBootLock = '/var/lock/fw_printenv.lock';

function mayLock(): boolean {
  try {
    accessSync(existsSync(uBootLock) ? uBootLock : dirname(uBootLock), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a tool that prepares a test. */
export function tool(...[program = '', ...args]: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
}

/** A loop device on this file, or null where the kernel or the rights allow none. */
export function loopDevice(file: string): { readonly path: string; detach(): void } | null {
  const { status, stdout } = spawnSync('losetup', ['--find', '--show', file], { encoding: 'utf8' });
  if (status !== 0) return null;
  const path = stdout.trim();
  return { path, detach: () => spawnSync('losetup', ['--detach', path]) };
}
