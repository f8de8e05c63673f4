import {
  type DeviceCode,
  type DeviceState,
  type Evidence,
  FirmproofError,
  isDeviceCode,
  outcomeOf,
  silenceSeconds,
  type TrustRoot,
  type Verdict,
  verifyEvidence,
} from '@firmproof/protocol';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import { rememberAdvisories } from './advisories.ts';
import type { Agent } from './agent.ts';
import { type Source, serverSource, sourcesByHealth, sourcesOf } from './source.ts';
import { heldTrustRoot, lastProvenAt, rememberedProof, stepInSilence } from './trust.ts';

export type CheckResult = {
  readonly verdict: Verdict;
  readonly server: string | null;
  readonly evidence: Evidence | null;
};

export type Answer = CheckResult & { readonly saysMoved?: boolean };

type Answers = Answer & {
  /** Of the newest block that a quorum vouches for and that is too old for this device. */
  readonly staleBlockSeconds: number | null;
};

/** A product that moves more often between two checks goes on at the next. */
const maximumRounds = 64;

function deviceState({ config, journal, identity, offline }: Agent, root: TrustRoot): DeviceState {
  const { installed, rollbackFloor } = journal.entry;
  return {
    channel: config.channel,
    hardware: config.hardware,
    installed,
    rollbackFloor,
    lastProven: lastProvenAt({ journal }, root),
    rolloutSecret: identity.rolloutSecret,
    minimumRebuilders: config.rebuilders?.minimum ?? 0,
    ...(offline?.acceptOldBlock && { acceptBlocksFromSeconds: lastProvenAt({ journal }, root)?.blockSeconds ?? 0 }),
  };
}

/**
 * Asks the servers, remembers what was proved, and follows the product where the trust root leads: a root that names
 * another place is adopted, and the new place is asked in the same check.
 */
export async function check(agent: Agent, options: { readonly unconditional?: boolean } = {}): Promise<CheckResult> {
  const result = await checkInRounds(agent, options.unconditional ?? false);
  await agent.sources.save();
  return result;
}

async function checkInRounds(agent: Agent, unconditional: boolean): Promise<CheckResult> {
  for (let round = 1; ; round += 1) {
    const { saysMoved, staleBlockSeconds, ...result } = await askAll(agent, unconditional);
    const { verdict } = result;
    const isLastRound = round === maximumRounds;
    if (verdict.proven) {
      await agent.journal.write({ ...rememberedProof(agent, verdict.proven), lastVerdict: summary(verdict) });
      if (result.evidence) await rememberAdvisories(agent, verdict.proven.trustRoot, result.evidence);
      const moved = verdict.outcome !== 'update' && verdict.code === 'product-moved';
      if (moved && !isLastRound) continue;
      return result;
    }
    if (staleBlockSeconds !== null && !isLastRound && (await takeBackJump(agent, staleBlockSeconds))) continue;
    const step = await followInSilence(agent, saysMoved ?? false);
    if (step === 'adopted' && !isLastRound) continue;
    const final = step === 'ahead' ? { ...result, verdict: refusal('trust-root-ahead', aheadMessage) } : result;
    await agent.journal.write({ lastVerdict: summary(final.verdict), time: agent.clock.snapshot() });
    return final;
  }
}

/** A timestamp that nothing has confirmed for 90 days was wrong: time goes on without it (D40). */
async function takeBackJump(agent: Agent, staleBlockSeconds: number): Promise<boolean> {
  const time = agent.clock.withoutLastJump(staleBlockSeconds, heldTrustRoot(agent).maxAgeSeconds);
  if (time === null) return false;
  await agent.journal.write({ time });
  return true;
}

const aheadMessage = 'a newer trust root is signed, but nothing proves to this device that the chain names it';

/**
 * Asks the servers in turn and takes the first whose evidence proves something (D1 to D4), whatever it proves. A
 * server that lies or is silent costs nothing but the next question.
 */
async function askAll(agent: Agent, unconditional: boolean): Promise<Answers> {
  let worst: Answer | null = null;
  let saysMoved = false;
  let staleBlockSeconds: number | null = null;
  for (const source of sourcesByHealth(agent)) {
    const answer = await ask(agent, source, unconditional);
    const { server } = source;
    const { verdict, evidence } = answer;
    if (verdict.outcome === 'update' || verdict.proven) {
      if (server !== null) agent.sources.worked(server);
      return { ...answer, staleBlockSeconds: null };
    }
    if (server !== null) agent.sources.failed(server, verdict);
    saysMoved ||= answer.saysMoved ?? false;
    if (verdict.code === 'stale' && evidence)
      staleBlockSeconds = Math.max(staleBlockSeconds ?? 0, evidence.block.timestamp);
    if (worst === null || severity(answer.verdict) > severity(worst.verdict)) worst = answer;
  }
  const none = { verdict: refusal('unavailable', 'no server is configured'), server: null, evidence: null };
  return { ...(worst ?? none), saysMoved, staleBlockSeconds };
}

const severity = ({ outcome }: Verdict) => ['current', 'waiting', 'update', 'unproven', 'refused'].indexOf(outcome);

const refusal = (code: DeviceCode, message: string): Verdict => ({ outcome: outcomeOf(code), code, message });

/** What one server's evidence proves. Nothing is remembered of it. */
export const askServer = (agent: Agent, server: string, unconditional: boolean): Promise<Answer> =>
  ask(agent, serverSource(agent, server), unconditional);

async function ask(agent: Agent, source: Source, unconditional: boolean): Promise<Answer> {
  const nowSeconds = agent.clock.nowSeconds();
  const root = heldTrustRoot(agent);
  const { server } = source;
  try {
    const evidence = await source.evidence(root, { nowSeconds, unconditional });
    const verify = (from: Evidence) =>
      verifyEvidence(from, root, deviceState(agent, root), nowSeconds, keylessVerifier);
    let verdict = await verify(evidence);
    if (lacksSteps(verdict)) {
      // Evidence carries the newest roots only; a device that slept for longer fetches the others.
      const steps = await source.trustRoots(root);
      if (steps.length > 0) verdict = await verify({ ...evidence, trustRoots: [...steps] });
    }
    return { verdict: respectJournal(agent, verdict), server, evidence };
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    return {
      verdict: refusal(error.code, error.message),
      server,
      evidence: null,
      saysMoved: error.details?.['saysMoved'] === true,
    };
  }
}

const isDeviceError = (error: unknown): error is FirmproofError & { readonly code: DeviceCode } =>
  error instanceof FirmproofError && isDeviceCode(error.code);

const lacksSteps = (verdict: Verdict) =>
  verdict.outcome !== 'update' && (verdict.code === 'trust-root-version' || verdict.code === 'trust-root-mismatch');

/** Nothing verifies: has that been so for 90 days, signatures alone lead on, one root at a time (D15). */
async function followInSilence(agent: Agent, saysMoved: boolean): Promise<'adopted' | 'ahead' | 'none'> {
  if (agent.clock.silentSeconds() < silenceSeconds && !saysMoved) return 'none';
  let found: 'ahead' | 'none' = 'none';
  for (const source of sourcesOf(agent)) {
    try {
      if (await stepInSilence(agent, source)) return 'adopted';
    } catch (error) {
      // What a server offers does not lead on: no worse than no offer.
      if (!isDeviceError(error)) throw error;
      if (error.code === 'trust-root-ahead') found = 'ahead';
    }
  }
  return found;
}

/** A release that is on trial here is no update; one that was rolled back here waits for the vendor to promote again. */
function respectJournal({ journal }: Agent, verdict: Verdict): Verdict {
  if (verdict.outcome !== 'update') return verdict;
  const { image, schedule, version } = verdict.release;
  const { state, target } = journal.entry;
  if (state === 'trial' && target?.image === image)
    return {
      ...refusal('update-on-trial', `${version} is installed and on trial here`),
      proven: verdict.proven,
    } as Verdict;
  const before = journal.entry.failed.find(
    (failure) => failure.image === image && failure.headCounter === schedule.counter,
  );
  if (!before) return verdict;
  return {
    ...refusal('version-failed-here', `${version} was rolled back here: ${before.reason}`),
    proven: verdict.proven,
  } as Verdict;
}

function summary(verdict: Verdict): NonNullable<Agent['journal']['entry']['lastVerdict']> {
  if (verdict.outcome === 'update')
    return { outcome: verdict.outcome, message: `${verdict.release.version} is proven` };
  const { outcome, code, message } = verdict;
  return { outcome, code, message };
}
