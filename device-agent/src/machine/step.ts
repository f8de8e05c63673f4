import { FirmproofError } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import type { CheckResult } from '../check.ts';
import type { DownloadProgress } from '../download.ts';
import type { InstallTarget, JournalEntry } from '../journal.ts';
import type { InstallResult } from './result.ts';
import type { EventOf, WorkingState } from './transitions.ts';

export type InstallOptions = {
  readonly onProgress?: DownloadProgress;
  /** Somebody asks for it now, whatever windows, modes and postponements say. */
  readonly askedForNow?: boolean;
};

/** What the effects of one round have in hand. */
export type Work = {
  readonly agent: Agent;
  readonly options: InstallOptions;
  /** Somebody says that the image on trial is healthy. */
  readonly isConfirmed: boolean;
  /** What the check of this round has proved; null in a round that goes on with an earlier one. */
  found: CheckResult | null;
};

/** How an effect ended: with an event, or in the same state until something else happens. */
export type Step<S extends WorkingState> =
  | { readonly event: EventOf<S>; readonly change?: Partial<JournalEntry>; readonly result?: InstallResult }
  | { readonly rests: InstallResult };

export type Effect<S extends WorkingState> = (work: Work) => Promise<Step<S>>;

/** The image that the state is about. */
export function targetOf({ journal }: Pick<Agent, 'journal'>): InstallTarget {
  const { target, state } = journal.entry;
  if (target === null) throw new Error(`the journal has state ${state}, but no target`);
  return target;
}

/** @throws FirmproofError `image-size-mismatch`, `image-digest-mismatch`, and what the installer throws */
export async function requireSlotHolds({ installer }: Pick<Agent, 'installer'>, target: InstallTarget): Promise<void> {
  const { slot, image, sizeBytes } = target;
  const found = await installer.readBack(slot, sizeBytes);
  if (found.sizeBytes !== sizeBytes)
    throw new FirmproofError(
      'image-size-mismatch',
      `the slot holds ${found.sizeBytes} bytes, ${sizeBytes} were signed`,
    );
  if (found.digest !== image)
    throw new FirmproofError('image-digest-mismatch', `the slot holds ${found.digest}, the chain records ${image}`);
}
