import { type ErrorCode, isDeviceCode, outcomeOf } from '@firmproof/protocol';
import type { InstallResult } from '../machine/result.ts';

/** What the commands exit with; `--help` and docs/spec/device.md have the same table. */
export const exitCodes = {
  /** Nothing to do, or done. */
  done: 0,
  /** A mistake in the agent itself. */
  internal: 1,
  /** Command line, configuration or trust root. */
  usage: 2,
  /** Another process is at work, or nothing is on trial. */
  notNow: 3,
  /** `check`: an update is proven. */
  update: 10,
  /** Nothing could be proved: stale, unavailable or no quorum. */
  unproven: 20,
  refused: 30,
  rolledBack: 40,
  /** `doctor`: something stands in the way of updates. */
  unwell: 50,
} as const;

const byOutcome: Readonly<Record<InstallResult['outcome'] | 'update', number>> = {
  current: exitCodes.done,
  waiting: exitCodes.done,
  installed: exitCodes.done,
  'on-trial': exitCodes.done,
  'reboot-needed': exitCodes.done,
  update: exitCodes.update,
  unproven: exitCodes.unproven,
  refused: exitCodes.refused,
  'rolled-back': exitCodes.rolledBack,
};

export const exitCodeOf = (outcome: InstallResult['outcome'] | 'update'): number => byOutcome[outcome];

/** Of a command that ended with an error: a code has the same exit code wherever it comes from, unless it is this side's mistake. */
export function exitCodeOfError(code: ErrorCode): number {
  if (code === 'install-in-progress' || code === 'nothing-to-confirm') return exitCodes.notNow;
  if (code === 'device-storage-full') return exitCodes.refused;
  return isDeviceCode(code) && outcomeOf(code) === 'unproven' ? exitCodes.unproven : exitCodes.usage;
}
