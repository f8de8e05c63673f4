import { type DeviceCode, outcomeOf } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import type { Failure, InstallTarget, JournalEntry } from '../journal.ts';
import { type InstallResult, type Refusal, refusal } from './result.ts';
import { targetOf } from './step.ts';

const maximumRemembered = 16;

/** Before activation, these alone are the image's own fault: the same bytes would fail again. */
const faultsOfTheImage: readonly DeviceCode[] = ['installer-failed', 'installer-timed-out'];

export const failureOf = ({ code, message }: Refusal, { isActivated }: { readonly isActivated: boolean }): Failure => ({
  code,
  message,
  wasActivated: isActivated,
});

/**
 * The entry that begins a way back: why, and where it is the version's fault, that this version is not tried again before
 * the vendor promotes again (M6).
 */
export function withFailed(agent: Agent, failure: Failure): Partial<JournalEntry> {
  const { failed } = agent.journal.entry;
  const { version, image, headCounter } = targetOf(agent);
  if (!failure.wasActivated && !faultsOfTheImage.includes(failure.code)) return { failure };
  const { code, message: reason } = failure;
  const others = failed.filter((other) => other.image !== image);
  return { failure, failed: [...others, { version, image, headCounter, code, reason }].slice(-maximumRemembered) };
}

/** M5: the boot loader has started the slot before again. */
export function fellBack(agent: Agent): Partial<JournalEntry> {
  const reason = refusal('boot-fell-back', 'the slot before runs again: the boot loader gave the new one up');
  return withFailed(agent, failureOf(reason, { isActivated: true }));
}

/** What people are told of it. */
export function resultOf({ code, message, wasActivated }: Failure, { version }: InstallTarget): InstallResult {
  return wasActivated && code !== 'rollback-unavailable'
    ? { outcome: 'rolled-back', version, code, message: `${version} was rolled back: ${message}` }
    : { outcome: outcomeOf(code), code, message };
}
