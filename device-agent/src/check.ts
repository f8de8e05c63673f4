import {
  type DeviceCode,
  type DeviceState,
  type Evidence,
  isDeviceCode,
  isFirmproofError,
  outcomeOf,
  type ProvenState,
  type TrustRoot,
  trustRootOfEnvelope,
  type Verdict,
  verifyEvidence,
} from '@firmproof/protocol';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import type { Agent } from './agent.ts';
import { fetchEvidence } from './evidence-source.ts';

export type CheckResult = {
  readonly verdict: Verdict;
  readonly server: string | null;
  readonly evidence: Evidence | null;
};

/** The trust root that this device holds: the newest one that the chain has named, or the image's own. */
export function heldTrustRoot({ config, journal }: Pick<Agent, 'config' | 'journal'>): TrustRoot {
  const adopted = journal.entry.trustRoot && trustRootOfEnvelope(journal.entry.trustRoot);
  return adopted && adopted.version > config.imageTrustRoot.version ? adopted : config.imageTrustRoot;
}

function deviceState({ config, journal, identity }: Agent): DeviceState {
  const { installed, rollbackFloor, lastProven } = journal.entry;
  return {
    channel: config.channel,
    hardware: config.hardware,
    installed,
    rollbackFloor,
    lastProven,
    rolloutSecret: identity.rolloutSecret,
  };
}

/**
 * Asks the servers in turn and takes the first whose evidence proves something (checks 1 to 4), whatever it proves. A
 * server that lies or is silent costs nothing but the next question. Remembers what was proved.
 */
export async function check(agent: Agent, options: { readonly unconditional?: boolean } = {}): Promise<CheckResult> {
  let worst: CheckResult | null = null;
  for (const server of agent.config.servers) {
    const result = await ask(agent, server, options.unconditional ?? false);
    if (result.verdict.proven) {
      await remember(agent, result.verdict, result.verdict.proven);
      return result;
    }
    if (worst === null || severity(result.verdict) > severity(worst.verdict)) worst = result;
  }
  const result = worst ?? { verdict: refusal('unavailable', 'no server is configured'), server: null, evidence: null };
  await agent.journal.write({ lastVerdict: summary(result.verdict), time: agent.clock.snapshot() });
  return result;
}

const severity = ({ outcome }: Verdict) => ['current', 'waiting', 'update', 'unproven', 'refused'].indexOf(outcome);

const refusal = (code: DeviceCode, message: string): Verdict => ({ outcome: outcomeOf(code), code, message });

async function ask(agent: Agent, server: string, unconditional: boolean): Promise<CheckResult> {
  const nowSeconds = agent.clock.nowSeconds();
  try {
    const evidence = await fetchEvidence(agent.config, server, { nowSeconds, unconditional });
    const verdict = await verifyEvidence(
      evidence,
      heldTrustRoot(agent),
      deviceState(agent),
      nowSeconds,
      keylessVerifier,
    );
    return { verdict: respectFailures(agent, verdict), server, evidence };
  } catch (error) {
    if (!isFirmproofError(error) || !isDeviceCode(error.code)) throw error;
    return { verdict: refusal(error.code, error.message), server, evidence: null };
  }
}

/** A release that was rolled back here waits for the vendor to promote again. */
function respectFailures({ journal }: Agent, verdict: Verdict): Verdict {
  if (verdict.outcome !== 'update') return verdict;
  const { image, schedule, version } = verdict.release;
  const before = journal.entry.failed.find(
    (failure) => failure.image === image && failure.headCounter === schedule.counter,
  );
  if (!before) return verdict;
  return {
    ...refusal('version-failed-here', `${version} was rolled back here: ${before.reason}`),
    proven: verdict.proven,
  } as Verdict;
}

/** Proofs move the device's memory forward, whatever the verdict. A new trust root resets it, but never the floor. */
async function remember({ journal, clock, config }: Agent, verdict: Verdict, proven: ProvenState): Promise<void> {
  const { sequence, history, trustRoot, timestampSeconds } = proven;
  const isNew = trustRoot.version > heldTrustRoot({ config, journal }).version;
  await journal.write({
    lastProven: { sequence, history },
    lastVerdict: summary(verdict),
    time: isNew ? { ...clock.snapshot(), seconds: timestampSeconds } : clock.snapshot(timestampSeconds),
    ...(isNew && { trustRoot: trustRoot.envelope }),
  });
}

function summary(verdict: Verdict): NonNullable<Agent['journal']['entry']['lastVerdict']> {
  if (verdict.outcome === 'update')
    return { outcome: verdict.outcome, message: `${verdict.release.version} is proven` };
  const { outcome, code, message } = verdict;
  return { outcome, code, message };
}
