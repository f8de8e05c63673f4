import { FirmproofError } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import { runProgram } from '../installers/program.ts';
import type { JournalEntry } from '../journal.ts';

export type BootMark = NonNullable<JournalEntry['trialBoot']>;

/** The boot that runs now, to tell it from the next one. */
export function thisBoot({ clock }: Pick<Agent, 'clock'>): Omit<BootMark, 'boots'> {
  const { bootId, uptimeSeconds } = clock.snapshot();
  return { bootId, uptimeSeconds };
}

/** Whether the machine has been booted since. Where the kernel does not name its boots, a smaller uptime tells. */
export function hasRebooted(since: Omit<BootMark, 'boots'>, now: Omit<BootMark, 'boots'>): boolean {
  return since.bootId !== now.bootId || now.uptimeSeconds < since.uptimeSeconds;
}

/** Asks for a reboot, where the configuration says how; else somebody else's reboot is waited for. @throws FirmproofError `reboot-failed` */
export async function reboot({ config }: Pick<Agent, 'config'>): Promise<void> {
  if (config.reboot === undefined) return;
  const { command, timeoutSeconds } = config.reboot;
  const end = await runProgram(command, { timeoutSeconds, environment: {} });
  if (end.how === 'exited' && end.exitCode === 0) return;
  throw new FirmproofError('reboot-failed', `${command[0]} ${end.reason}`);
}
