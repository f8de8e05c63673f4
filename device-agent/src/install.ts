import {
  type DeviceCode,
  FirmproofError,
  isDeviceCode,
  isFirmproofError,
  outcomeOf,
  type ProvenRelease,
  type Verdict,
} from '@firmproof/protocol';
import { isStorageFull } from '@firmproof/protocol/node/system-error';
import type { Agent } from './agent.ts';
import { type CheckResult, check } from './check.ts';
import { type DownloadProgress, downloadImage, downloadSources } from './download.ts';
import { runHealthCommand } from './health.ts';
import type { InstallTarget } from './journal.ts';
import { ownOriginsOf } from './network/access.ts';
import { type HeldBack, mayProceed } from './policy/may-proceed.ts';
import { queueReport } from './reports.ts';
import { heldTrustRoot, serversOf } from './trust.ts';

export type InstallResult =
  | { readonly outcome: 'installed' | 'on-trial'; readonly version: string }
  | {
      readonly outcome: 'rolled-back';
      readonly version: string;
      readonly code: 'health-check-failed';
      readonly message: string;
    }
  | Exclude<Verdict, { outcome: 'update' }>;

export type InstallOptions = {
  readonly onProgress?: DownloadProgress;
  /** Somebody asks for it now, whatever windows, modes and postponements say. */
  readonly askedForNow?: boolean;
};

/**
 * Checks, downloads into the idle slot, reads back, checks again, activates, and confirms or rolls back. Each step is in
 * the journal before it happens, so `resume` can finish or undo it after a power cut (docs/spec/device.md D12 to D14).
 */
export async function install(agent: Agent, options: InstallOptions = {}): Promise<InstallResult> {
  const interrupted = await resume(agent);
  if (interrupted !== null) return interrupted;
  const first = await check(agent);
  if (first.verdict.outcome !== 'update') return first.verdict;
  try {
    const held = await mayProceed(agent, first.verdict.release, 'download', options);
    if (held !== null) return await wait(agent, held);
    const target = await stage(agent, first, first.verdict.release, options.onProgress);
    return await checkAgainAndActivate(agent, target, options);
  } catch (error) {
    const failure = explain(error);
    // Once activation has begun, the next try finishes or undoes it: only the journal knows how far it came.
    const { state, target } = agent.journal.entry;
    const undone = ['idle', 'downloading', 'staged'].includes(state);
    const reports = target && failure.outcome === 'refused' && queueReport(agent, target, 'failed', failure.code);
    await agent.journal
      .write({ lastVerdict: failure, ...(undone && { state: 'idle', target: null }), ...(reports && { reports }) })
      // Where not even the journal fits, the entry before holds, and the next try starts from it.
      .catch((trouble: unknown) => explain(trouble));
    return failure;
  }
}

/** People hold the update back. Blocks that the slot holds are found again by the next download. */
async function wait(agent: Agent, { code, message }: HeldBack): Promise<InstallResult> {
  const verdict = refusal(code, message);
  await agent.journal.write({ state: 'idle', target: null, lastVerdict: verdict });
  return verdict;
}

/** What went wrong, if it is something that a device has a code for. @throws what it has none for */
function explain(error: unknown) {
  if (isFirmproofError(error) && isDeviceCode(error.code)) return refusal(error.code, error.message);
  if (isStorageFull(error)) return refusal('device-storage-full', 'the storage of the device is full');
  throw error;
}

const refusal = (code: DeviceCode, message: string) => ({ outcome: outcomeOf(code), code, message });

/** D12, D13: the idle slot holds exactly the bytes that the chain commits to. */
async function stage(
  agent: Agent,
  { evidence, server }: CheckResult,
  release: ProvenRelease,
  onProgress?: DownloadProgress,
): Promise<InstallTarget> {
  const { config, journal, installer } = agent;
  const { image } = release.attestation.statement.predicate;
  if (image.sizeBytes > config.maximumImageBytes) {
    throw new FirmproofError(
      'image-size-mismatch',
      `the image has ${image.sizeBytes} bytes, this device takes ${config.maximumImageBytes}`,
    );
  }
  const target: InstallTarget = {
    version: release.version,
    image: release.image,
    rollbackIndex: release.state.rollbackIndex,
    sizeBytes: image.sizeBytes,
    headCounter: release.schedule.counter,
    slot: await installer.idle(),
    previousSlot: await installer.running(),
    ...(server && { source: { product: heldTrustRoot(agent).product, server } }),
  };
  await journal.write({ state: 'downloading', target });
  const from = agent.offline
    ? { file: agent.offline.file }
    : {
        sources: downloadSources({ servers: serversOf(agent) }, evidence ?? { sources: [] }),
        minimumBytesPerSecond: config.minimumBytesPerSecond,
        maximumBytesPerSecond: config.maximumBytesPerSecond,
        health: agent.sources,
        ownOrigins: ownOriginsOf(agent),
      };
  const slot = await installer.open(target.slot, target.sizeBytes);
  try {
    await downloadImage({
      image,
      target: slot,
      from,
      ...(onProgress && { onProgress }),
    }).finally(() => agent.sources.save());
    await slot.sync();
  } finally {
    await slot.close();
  }
  await requireSlotHolds(agent, target);
  await journal.write({ state: 'staged' });
  return target;
}

async function requireSlotHolds({ installer }: Agent, { slot, image, sizeBytes }: InstallTarget): Promise<void> {
  const found = await installer.readBack(slot, sizeBytes);
  if (found.sizeBytes !== sizeBytes)
    throw new FirmproofError(
      'image-size-mismatch',
      `the slot holds ${found.sizeBytes} bytes, ${sizeBytes} were signed`,
    );
  if (found.digest !== image)
    throw new FirmproofError('image-digest-mismatch', `the slot holds ${found.digest}, the chain records ${image}`);
}

/** D14: a release revoked while it was downloaded is not activated. */
async function checkAgainAndActivate(
  agent: Agent,
  target: InstallTarget,
  options: InstallOptions,
): Promise<InstallResult> {
  const { verdict } = await check(agent, { unconditional: true });
  if (verdict.outcome !== 'update' || verdict.release.image !== target.image) {
    await agent.journal.write({ state: 'idle', target: null });
    return verdict.outcome === 'update'
      ? refusal('unavailable', 'the head moved during the download; the next check goes on')
      : verdict;
  }
  const held = await mayProceed(agent, verdict.release, 'activation', options);
  if (held !== null) return wait(agent, held);
  const found = await agent.installer.readBack(target.slot, target.sizeBytes);
  if (found.digest !== target.image)
    throw new FirmproofError('slot-readback-mismatch', 'the slot changed after it was verified');
  return activate(agent, target);
}

async function activate(agent: Agent, target: InstallTarget): Promise<InstallResult> {
  const { journal, installer, clock, config } = agent;
  await journal.write({ state: 'activating' });
  await installer.activate(target.slot, { digest: target.image, sizeBytes: target.sizeBytes });
  await journal.write({
    state: 'trial',
    trialDeadlineSeconds: clock.nowSeconds() + config.health.deadlineSeconds,
    time: clock.snapshot(),
  });
  return judgeTrial(agent, target);
}

async function judgeTrial(agent: Agent, target: InstallTarget): Promise<InstallResult> {
  const { command, deadlineSeconds, confirm: confirmation } = agent.config.health;
  if (confirmation === 'external') return { outcome: 'on-trial', version: target.version };
  if (command === undefined) return confirm(agent);
  const health = await runHealthCommand(command, deadlineSeconds, {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    FIRMPROOF_VERSION: target.version,
    FIRMPROOF_IMAGE_DIGEST: target.image,
    FIRMPROOF_SLOT: target.slot,
  });
  return health.healthy ? confirm(agent) : rollBack(agent, target, health.reason);
}

/** Ends the trial: the image stays, and the floor rises. @throws FirmproofError `nothing-to-confirm` */
export async function confirm(agent: Agent): Promise<InstallResult> {
  const { journal } = agent;
  const { state, target, rollbackFloor } = journal.entry;
  if (state !== 'trial' || target === null) throw new FirmproofError('nothing-to-confirm', 'no image is on trial');
  const { version, image, rollbackIndex } = target;
  await journal.write({
    state: 'idle',
    target: null,
    trialDeadlineSeconds: null,
    installed: { version, image },
    rollbackFloor: Math.max(rollbackFloor, rollbackIndex),
    reports: queueReport(agent, target, 'confirmed'),
  });
  // Once more, so that the entry before this one has the new floor too: a damaged journal must not lower it.
  await journal.write({});
  return { outcome: 'installed', version };
}

async function rollBack(agent: Agent, target: InstallTarget, reason: string): Promise<InstallResult> {
  const { journal, installer } = agent;
  const { version, image, headCounter, previousSlot } = target;
  const failed = [
    ...journal.entry.failed.filter((failure) => failure.image !== image),
    { image, headCounter, reason },
  ].slice(-16);
  await journal.write({ state: 'rolling-back', failed });
  await installer.rollBack(previousSlot);
  const message = `${version} was rolled back: ${reason}`;
  await journal.write({
    state: 'idle',
    target: null,
    trialDeadlineSeconds: null,
    lastVerdict: { outcome: 'rolled-back', code: 'health-check-failed', message },
    reports: queueReport(agent, target, 'rolled-back', 'health-check-failed'),
  });
  return { outcome: 'rolled-back', version, code: 'health-check-failed', message };
}

/** Finishes or undoes what a crash or a reboot interrupted; null when nothing is left of it. */
export async function resume(agent: Agent): Promise<InstallResult | null> {
  const { journal, clock } = agent;
  const { state, target, trialDeadlineSeconds } = journal.entry;
  if (target === null) return null;
  switch (state) {
    case 'idle':
      return null;
    case 'downloading':
    case 'staged':
      // Nothing runs that did not run before. Blocks that the slot holds are found again by the next download.
      await journal.write({ state: 'idle', target: null });
      return null;
    case 'activating':
      return finishActivating(agent, target);
    case 'trial':
      // Each look is remembered, so that the deadline passes even on a device that keeps rebooting.
      await journal.write({ time: clock.snapshot() });
      return clock.nowSeconds() > (trialDeadlineSeconds ?? 0)
        ? rollBack(agent, target, 'it was not confirmed in time')
        : judgeTrial(agent, target);
    case 'rolling-back':
      return rollBack(agent, target, journal.entry.failed.at(-1)?.reason ?? 'interrupted');
  }
}

/** The link points at the old or the new slot; both are whole. The new one is verified again before it may run. */
async function finishActivating(agent: Agent, target: InstallTarget): Promise<InstallResult | null> {
  try {
    await requireSlotHolds(agent, target);
  } catch {
    await agent.installer.rollBack(target.previousSlot);
    await agent.journal.write({ state: 'idle', target: null });
    return null;
  }
  return activate(agent, target);
}
