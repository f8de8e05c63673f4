import type { Agent } from '../agent.ts';
import type { HookName } from '../installers/config.ts';
import { runHook } from '../installers/hooks.ts';
import { targetOf } from './step.ts';

/** I6. @throws FirmproofError `hook-failed`, `hook-timed-out` */
export async function hook(agent: Agent, name: HookName): Promise<void> {
  const { version, image, slot, previousSlot } = targetOf(agent);
  const runningVersion = agent.journal.entry.installed.version;
  await runHook(agent.config.hooks, name, { version, runningVersion, image, slot, previousSlot });
}
