import { FirmproofError } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import { runHealthCommand } from '../health.ts';
import type { InstallTarget, JournalEntry } from '../journal.ts';
import { hasRebooted, reboot, thisBoot } from './boot.ts';
import { failureOf, fellBack, withFailed } from './failure.ts';
import { hook } from './hook.ts';
import { explain, type Refusal, refusal } from './result.ts';
import { type Effect, requireSlotHolds, type Step, targetOf } from './step.ts';

/** D14: one atomic switch. After a power cut both slots are whole; the new one is verified again before it may run. */
export const activating: Effect<'activating'> = async ({ agent }) => {
  const target = targetOf(agent);
  let isActivated = false;
  try {
    await requireVerified(agent, target);
    const activation = await agent.installer.activate(target.slot, {
      digest: target.image,
      sizeBytes: target.sizeBytes,
    });
    isActivated = true;
    await hook(agent, 'afterActivation');
    return { event: 'activated', change: trialBegins(agent, activation === 'running') };
  } catch (error) {
    return { event: 'refused', change: withFailed(agent, failureOf(explain(error), { isActivated })) };
  }
};

async function requireVerified(agent: Agent, target: InstallTarget): Promise<void> {
  try {
    await requireSlotHolds(agent, target);
  } catch (cause) {
    const { message } = explain(cause);
    throw new FirmproofError('slot-readback-mismatch', `the slot changed after it was verified: ${message}`, { cause });
  }
}

function trialBegins(agent: Agent, runs: boolean): Partial<JournalEntry> {
  const { clock, config } = agent;
  return {
    trialDeadlineSeconds: runs ? clock.nowSeconds() + config.health.deadlineSeconds : null,
    trialBoot: { ...thisBoot(agent), boots: runs ? 1 : 0 },
  };
}

/** M4: the image has until its deadline to be confirmed, from the moment that it runs. */
export const trial: Effect<'trial'> = async ({ agent, isConfirmed }) => {
  const { journal, installer } = agent;
  const target = targetOf(agent);
  if ((await installer.running()) !== target.slot) return notRunning(agent, target);
  const { deadlineSeconds, boots } = await look(agent);
  if (agent.clock.nowSeconds() > deadlineSeconds)
    return unhealthy(agent, refusal('trial-expired', 'it was not confirmed in time'));
  const { maximumBoots } = agent.config.health;
  if (boots > maximumBoots)
    return unhealthy(agent, refusal('trial-restarts', `it was booted ${boots} times without being confirmed`));
  if (isConfirmed) return { event: 'healthy' };
  const { command, confirm } = agent.config.health;
  if (confirm === 'external') return { rests: { outcome: 'on-trial', version: target.version } };
  if (command === undefined) return { event: 'healthy' };
  const secondsLeft = Math.max(1, deadlineSeconds - agent.clock.nowSeconds());
  const health = await runHealthCommand(command, Math.min(agent.config.health.deadlineSeconds, secondsLeft), {
    FIRMPROOF_VERSION: target.version,
    FIRMPROOF_RUNNING_VERSION: journal.entry.installed.version,
    FIRMPROOF_IMAGE_DIGEST: target.image,
    FIRMPROOF_SLOT: target.slot,
  });
  return health.healthy ? { event: 'healthy' } : unhealthy(agent, refusal('health-check-failed', health.reason));
};

/** M5: before the reboot it is waited for; after it, the boot loader has given the image up. */
async function notRunning(agent: Agent, { version }: InstallTarget): Promise<Step<'trial'>> {
  const { trialDeadlineSeconds, trialBoot } = agent.journal.entry;
  const awaitsReboot = trialDeadlineSeconds === null && trialBoot !== null && !hasRebooted(trialBoot, thisBoot(agent));
  if (!awaitsReboot) return { event: 'fell-back', change: fellBack(agent) };
  await reboot(agent);
  return { rests: { outcome: 'reboot-needed', version } };
}

const unhealthy = (agent: Agent, reason: Refusal): Step<'trial'> => ({
  event: 'unhealthy',
  change: withFailed(agent, failureOf(reason, { isActivated: true })),
});

/** Each look is remembered, so that the deadline passes even on a device that keeps rebooting. */
async function look(agent: Agent): Promise<{ readonly deadlineSeconds: number; readonly boots: number }> {
  const { journal, clock, config } = agent;
  const { trialDeadlineSeconds, trialBoot } = journal.entry;
  const now = thisBoot(agent);
  const isNewBoot = trialBoot === null || hasRebooted(trialBoot, now);
  const boots = (trialBoot?.boots ?? 0) + (isNewBoot ? 1 : 0);
  const deadlineSeconds = trialDeadlineSeconds ?? clock.nowSeconds() + config.health.deadlineSeconds;
  const change = { trialDeadlineSeconds: deadlineSeconds, trialBoot: { ...now, boots } };
  await journal.write({ ...change, time: clock.snapshot() });
  return { deadlineSeconds, boots };
}
