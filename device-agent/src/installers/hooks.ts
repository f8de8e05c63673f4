import { FirmproofError } from '@firmproof/protocol';
import type { SlotName } from '../journal.ts';
import type { HookName, HooksConfig } from './config.ts';
import { runProgram } from './program.ts';

export type HookContext = {
  readonly version: string;
  readonly runningVersion: string;
  readonly image: string;
  readonly slot: SlotName;
  readonly previousSlot: SlotName | null;
};

/**
 * Runs the hook of this name, if the device has one (I6).
 * @throws FirmproofError `hook-failed`, `hook-timed-out`, with the end of what the hook wrote
 */
export async function runHook(hooks: HooksConfig, name: HookName, context: HookContext): Promise<void> {
  const hook = hooks[name];
  if (hook === undefined) return;
  const { command, timeoutSeconds } = hook;
  const end = await runProgram(command, { timeoutSeconds, environment: environmentOf(name, context) });
  if (end.how === 'exited' && end.exitCode === 0) return;
  const code = end.how === 'timed-out' ? 'hook-timed-out' : 'hook-failed';
  throw new FirmproofError(code, `${name} (${command[0]}) ${end.reason}`);
}

/** docs/installers.md tells what each of them is. */
function environmentOf(name: HookName, context: HookContext): Record<string, string> {
  return {
    FIRMPROOF_HOOK: name,
    FIRMPROOF_VERSION: context.version,
    FIRMPROOF_RUNNING_VERSION: context.runningVersion,
    FIRMPROOF_IMAGE_DIGEST: context.image,
    FIRMPROOF_SLOT: context.slot,
    FIRMPROOF_PREVIOUS_SLOT: context.previousSlot ?? '',
  };
}
