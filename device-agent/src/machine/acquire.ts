import { FirmproofError, type ProvenRelease } from '@firmproof/protocol';
import { aboutRelease } from '../about-release.ts';
import type { Agent } from '../agent.ts';
import { type CheckResult, check } from '../check.ts';
import { type DownloadProgress, downloadImage, downloadSources } from '../download.ts';
import type { ImageTarget } from '../installers/installer.ts';
import type { InstallTarget } from '../journal.ts';
import { ownOriginsOf } from '../network/access.ts';
import { type HeldBack, mayProceed } from '../policy/may-proceed.ts';
import { serversOf } from '../trust.ts';
import { hook } from './hook.ts';
import { refusal } from './result.ts';
import { type Effect, requireSlotHolds, type Step, targetOf } from './step.ts';

/** D1 to D11, and what people say to it. */
export const checking: Effect<'checking'> = async (work) => {
  const { agent, options } = work;
  work.found = await check(agent);
  const { verdict } = work.found;
  if (verdict.outcome !== 'update') return { event: 'nothing-to-do', result: verdict };
  const held = await mayProceed(agent, verdict.release, 'download', options);
  if (held !== null) return waits('nothing-to-do', held);
  return { event: 'update-proven', change: { target: await targetFor(agent, verdict.release) } };
};

const waits = <Event extends string>(event: Event, { code, message }: HeldBack) => {
  const verdict = refusal(code, message);
  return { event, change: { lastVerdict: verdict }, result: verdict };
};

async function targetFor(agent: Agent, release: ProvenRelease): Promise<InstallTarget> {
  const { installer } = agent;
  const { predicate } = release.attestation.statement;
  return {
    version: release.version,
    image: release.image,
    rollbackIndex: release.state.rollbackIndex,
    sizeBytes: predicate.image.sizeBytes,
    headCounter: release.schedule.counter,
    slot: await installer.idle(),
    previousSlot: await installer.running(),
    about: aboutRelease(predicate),
  };
}

/** D12, D13: the idle slot holds exactly the bytes that the chain commits to. */
export const downloading: Effect<'downloading'> = async (work) => {
  const { agent, options, found } = work;
  const { config, installer } = agent;
  const target = targetOf(agent);
  if (target.sizeBytes > config.maximumImageBytes) {
    throw new FirmproofError(
      'image-size-mismatch',
      `the image has ${target.sizeBytes} bytes, this device takes ${config.maximumImageBytes}`,
    );
  }
  await hook(agent, 'beforeInstall');
  const slot = await installer.open(target.slot, target.sizeBytes);
  try {
    await download(agent, found, slot, options.onProgress);
    await slot.sync();
  } finally {
    await slot.close();
  }
  await requireSlotHolds(agent, target);
  await hook(agent, 'afterInstall');
  return { event: 'verified' };
};

async function download(
  agent: Agent,
  found: CheckResult | null,
  target: ImageTarget,
  onProgress?: DownloadProgress,
): Promise<void> {
  if (found?.verdict.outcome !== 'update') throw new Error('a download begins with a proven update');
  const { minimumBytesPerSecond, maximumBytesPerSecond } = agent.config;
  try {
    await downloadImage({
      image: found.verdict.release.attestation.statement.predicate.image,
      target,
      from: agent.offline ?? {
        sources: downloadSources({ servers: serversOf(agent) }, found.evidence ?? { sources: [] }),
        minimumBytesPerSecond,
        maximumBytesPerSecond,
        health: agent.sources,
        ownOrigins: ownOriginsOf(agent),
      },
      ...(onProgress && { onProgress }),
    });
  } finally {
    await agent.sources.save();
  }
}

/** D14: what was revoked, halted or replaced while it was downloaded is not activated, and what is activated was read back. */
export const staged: Effect<'staged'> = async ({ agent, options }) => {
  const target = targetOf(agent);
  const { verdict } = await check(agent, { unconditional: true });
  if (verdict.outcome !== 'update') return { event: 'not-now', result: verdict };
  if (verdict.release.image !== target.image) return headMoved;
  const held = await mayProceed(agent, verdict.release, 'activation', options);
  if (held !== null) return waits('not-now', held);
  await hook(agent, 'beforeActivation');
  const found = await agent.installer.readBack(target.slot, target.sizeBytes);
  if (found.digest !== target.image || found.sizeBytes !== target.sizeBytes)
    throw new FirmproofError('slot-readback-mismatch', 'the slot changed after it was verified');
  return { event: 'stands-still' };
};

const headMoved: Step<'staged'> = {
  event: 'not-now',
  result: refusal('unavailable', 'the head moved during the download; the next check goes on'),
};
