import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

export type Lock = { readonly release: () => void } | { readonly owner: number };

/**
 * Names a running process so that no other will ever have the name: number, boot and start time. null when none of this
 * number runs. Where there is no /proc, the number alone.
 */
export function nameOfProcess(pid: number): string | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return null;
  }
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The name of the program, in parentheses, may hold anything; field 22 of the line is the start time.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ');
    return `${pid} ${boot} ${fields[19]}`;
  } catch {
    return String(pid);
  }
}

/**
 * Takes a lock for this process. One that a process which died has left, or an earlier boot, is taken over, even if
 * another process has its number now. The lock appears with its content (link), and only the abandoned one is moved away
 * (rename), so that of two that come at the same moment one gets it.
 */
export function takeLock(file: string): Lock {
  const own = nameOfProcess(process.pid) ?? '';
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, own, { mode: 0o600 });
  try {
    for (;;) {
      if (linked(mine, file)) return { release: onlyOnce(() => rmSync(file, { force: true })) };
      const name = readIfThere(file);
      if (name === null) continue;
      const owner = Number(name.split(' ')[0]);
      if (Number.isInteger(owner) && owner > 0 && nameOfProcess(owner) === name) return { owner };
      putAside(file, `${mine}.abandoned`, name);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

const hasCode = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code;

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Removes the lock of this name; one that somebody has taken meanwhile is put back. */
function putAside(file: string, aside: string, name: string): void {
  try {
    renameSync(file, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if (readIfThere(aside) !== name) linked(aside, file);
  rmSync(aside, { force: true });
}

/** A second release could take the lock from whoever has it by then. */
function onlyOnce(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
