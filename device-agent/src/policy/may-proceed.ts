import type { DeviceCode, ProvenRelease, ReleasePurpose } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import { choiceOf } from './choice.ts';
import { timeText } from './duration.ts';
import { secondsToWindow } from './maintenance.ts';
import { isMetered } from './metered.ts';

/** What holds a proven update back, and the sentence for people. */
export type HeldBack = { readonly code: DeviceCode; readonly message: string };

/** Asked before the first byte is downloaded, and before a verified slot is activated. */
export type PolicyStage = 'download' | 'activation';

/** P4: a release that does not say what it is for is a feature update: nothing permissive rests on absence. */
const purposeOf = (release: Pick<ProvenRelease, 'attestation'>): ReleasePurpose =>
  release.attestation.statement.predicate.purpose ?? 'feature';

/**
 * Whether people and configuration let a proven update go on, null if so (docs/spec/device.md P1 to P5). Somebody who asks for
 * it now outweighs everything but a hold.
 */
export async function mayProceed(
  agent: Pick<Agent, 'config' | 'clock'>,
  release: Pick<ProvenRelease, 'attestation' | 'version'>,
  stage: PolicyStage,
  options: { readonly askedForNow?: boolean } = {},
): Promise<HeldBack | null> {
  const { config, clock } = agent;
  const { version } = release;
  const purpose = purposeOf(release);
  const { hold, postponed } = choiceOf(agent);
  // P2
  if (hold !== null && (hold.updates === 'all' || purpose !== 'security')) {
    const end =
      hold.untilSeconds === null ? 'until `firmproof-agent hold --release`' : `until ${timeText(hold.untilSeconds)}`;
    return { code: 'update-held', message: `${version} is held ${end}` };
  }
  // P3, all that follows
  if (options.askedForNow) return null;
  const mode = config.updates[purpose];
  if (mode === 'notify' || (mode === 'download' && stage === 'activation')) {
    const ready = stage === 'activation' ? ' is downloaded and verified, and' : '';
    return {
      code: 'update-not-automatic',
      message: `${version}${ready} waits for somebody to install it (${purpose} update)`,
    };
  }
  if (postponed !== null)
    return { code: 'update-postponed', message: `${version} is postponed until ${timeText(postponed.untilSeconds)}` };
  if (config.maintenance && (stage === 'activation' || config.maintenance.downloads === 'inside')) {
    const now = clock.nowSeconds();
    const wait = secondsToWindow(config.maintenance, now);
    if (wait > 0) {
      const message = `${version} waits for the maintenance window that opens at ${timeText(now + wait)}`;
      return { code: 'outside-maintenance-window', message };
    }
  }
  const mayCost = purpose === 'security' && config.metered?.securityUpdates;
  if (stage === 'download' && config.metered && !mayCost && (await isMetered(config.metered)))
    return { code: 'connection-metered', message: `${version} is not downloaded over a metered connection` };
  return null;
}
