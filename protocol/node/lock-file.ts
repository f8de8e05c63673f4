import { readFileSync, rmSync, writeFileSync } from 'node:fs';

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
 * another process has its number now.
 */
export function takeLock(file: string): Lock {
  for (;;) {
    try {
      writeFileSync(file, nameOfProcess(process.pid) ?? '', { flag: 'wx', mode: 0o600 });
      return { release: onlyOnce(() => rmSync(file, { force: true })) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const name = readFileSync(file, 'utf8').trim();
    const owner = Number(name.split(' ')[0]);
    if (Number.isInteger(owner) && owner > 0 && nameOfProcess(owner) === name) return { owner };
    rmSync(file, { force: true });
  }
}

/** A second release could take the lock from whoever has it by then. */
function onlyOnce(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
