import { readFileSync } from 'node:fs';
import { FirmproofError } from '@firmproof/protocol';
import { type SlotName, slotNames } from '../journal.ts';
import type { RunningConfig } from './config.ts';
import { runProgram } from './program.ts';

/** Every value that means a slot, beside its name: a device path, a name of the boot loader's. */
export type SlotValues = Readonly<Record<SlotName, readonly string[]>>;

const askSeconds = 30;

/**
 * I1. Asks the running system which slot it was booted from. Guessing would mean to write over the one that runs.
 * @throws FirmproofError `running-slot-unknown`
 */
export async function runningSlot(
  config: RunningConfig,
  values: SlotValues,
  environment: Readonly<Record<string, string>>,
): Promise<SlotName> {
  if (config.command === undefined) {
    const name = config.kernelArgument ?? '';
    const value = kernelArgument(commandLine(), name);
    if (value === null) throw unknown(`the kernel's command line has no ${name}`);
    return slotOf(value, values, `the kernel's ${name}`);
  }
  const program = config.command[0] ?? '';
  const end = await runProgram(config.command, { timeoutSeconds: askSeconds, environment });
  if (end.how !== 'exited' || end.exitCode !== 0) throw unknown(`${program} ${end.reason}`);
  return slotOf(end.answer.trim(), values, program);
}

function commandLine(): string {
  try {
    return readFileSync('/proc/cmdline', 'utf8');
  } catch (cause) {
    throw new FirmproofError('running-slot-unknown', "the kernel's command line cannot be read", { cause });
  }
}

/** The value of an argument of a kernel's command line; the last one counts, as it does for the kernel. */
export function kernelArgument(commandLine: string, name: string): string | null {
  const found = commandLine
    .trim()
    .split(/\s+/)
    .findLast((argument) => argument.startsWith(`${name}=`));
  return found?.slice(name.length + 1) ?? null;
}

/** @throws FirmproofError `running-slot-unknown` */
export function slotOf(value: string, values: SlotValues, source: string): SlotName {
  const slot = slotNames.find((name) => name === value || values[name].includes(value));
  if (slot) return slot;
  const allowed = slotNames.flatMap((name) => [name, ...values[name]]).join(', ');
  throw unknown(`${source} says ${JSON.stringify(value.slice(0, 100))}, which is none of ${allowed}`);
}

const unknown = (message: string) => new FirmproofError('running-slot-unknown', message);
