import type { SlotName } from '../journal.ts';
import { createBootEnvironment } from './boot-environment.ts';
import type { BootEnvironmentConfig, RunningConfig } from './config.ts';
import type { Activation } from './installer.ts';
import { runningSlot, type SlotValues } from './running-slot.ts';

/** How the boot loader is told which of two slots to start: one of them always runs. */
export type BootSelection = {
  running(): Promise<SlotName>;
  /** Boots the slot next, on trial. */
  tryNext(slot: SlotName): Promise<Activation>;
  /** The trial is over: the boot counter is cleared. */
  confirm(slot: SlotName): Promise<void>;
  rollBack(previous: SlotName | null): Promise<Activation>;
};

/** Through the variables of a boot loader. */
export function environmentSelection(
  config: {
    readonly running: RunningConfig;
    readonly bootEnvironment: BootEnvironmentConfig;
    readonly environment: Readonly<Record<string, string>>;
  },
  values: SlotValues,
): BootSelection {
  const { bootEnvironment: variables } = config;
  const bootEnvironment = createBootEnvironment(variables, config.environment);
  const running = () => runningSlot(config.running, values, config.environment);
  return {
    running,
    async tryNext(slot) {
      await bootEnvironment.write(fill(variables.try, slot, otherSlot(slot)));
      return 'reboot-needed';
    },
    async confirm(slot) {
      await bootEnvironment.write(fill(variables.confirm, slot, otherSlot(slot)));
    },
    async rollBack(previous) {
      const slot = previous ?? (await running());
      await bootEnvironment.write(fill(variables.rollBack, slot, otherSlot(slot)));
      return (await running()) === slot ? 'running' : 'reboot-needed';
    },
  };
}

export const otherSlot = (slot: SlotName): SlotName => (slot === 'a' ? 'b' : 'a');

/** Puts the slots into the values of variables. */
function fill(
  variables: Readonly<Record<string, string>>,
  slot: SlotName,
  previous: SlotName,
): Readonly<Record<string, string>> {
  const filled = Object.entries(variables).map(([name, value]) => [
    name,
    value.replaceAll('{slot}', slot).replaceAll('{previous}', previous),
  ]);
  return Object.fromEntries(filled);
}
