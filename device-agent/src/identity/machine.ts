import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

/** systemd puts the id here while it lasts for one boot only: nothing can be told by it. */
const transientMachineIdFile = '/run/machine-id';

/**
 * A name for this machine that tells nobody its machine-id, as systemd asks of programs; null where it has none that
 * lasts.
 */
export function markOfMachine(machineIdFile: string): string | null {
  if (machineIdFile === '/etc/machine-id' && existsSync(transientMachineIdFile)) return null;
  try {
    const id = readFileSync(machineIdFile, 'latin1').replace(/\0+$/, '').trim();
    return id === '' || id === 'uninitialized'
      ? null
      : createHmac('sha256', id).update('firmproof-device').digest('hex');
  } catch {
    return null;
  }
}
