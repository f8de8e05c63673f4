import type { SlotName } from '../journal.ts';
import type { CommandConfig } from './config.ts';
import type { Receiver } from './hand-over.ts';

/** Whatever program the device has for it. */
export function commandReceiver({ install, environment }: CommandConfig, slot: SlotName): Receiver {
  const { command, input, timeoutSeconds } = install;
  return { command: command.map((part) => part.replaceAll('{slot}', slot)), input, timeoutSeconds, environment };
}
