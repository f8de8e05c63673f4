import {
  changesWitnesses,
  isSamePlace,
  nextTrustRootInSilence,
  type ProvenState,
  type TrustRoot,
  trustRootOfEnvelope,
} from '@firmproof/protocol';
import type { Agent } from './agent.ts';
import type { JournalEntry } from './journal.ts';
import type { Source } from './source.ts';

/** The trust root that this device holds: the newest one that it has adopted, or the image's own. */
export function heldTrustRoot({ config, journal }: Pick<Agent, 'config' | 'journal'>): TrustRoot {
  const adopted = journal.entry.trustRoot && trustRootOfEnvelope(journal.entry.trustRoot);
  return adopted && adopted.version > config.imageTrustRoot.version ? adopted : config.imageTrustRoot;
}

/** The servers to ask: those that the trust root names, then those of the image. */
export function serversOf({ config, journal }: Pick<Agent, 'config' | 'journal'>): readonly string[] {
  const named = (heldTrustRoot({ config, journal }).servers ?? []).map((url) => url.replace(/\/+$/, ''));
  return [...new Set([...named, ...config.servers])];
}

/** The last history that was proved here; null where that was another place's. */
export function lastProvenAt({ journal }: Pick<Agent, 'journal'>, root: TrustRoot): JournalEntry['lastProven'] {
  const { lastProven } = journal.entry;
  return lastProven && (lastProven.product ?? root.product) === root.product ? lastProven : null;
}

/**
 * What to remember of proofs, whatever the verdict. A root that the chain names starts time and counters again, and never
 * touches the floor or what is installed (docs/spec/device.md D15).
 */
export function rememberedProof(agent: Agent, proven: ProvenState): Partial<JournalEntry> {
  const held = heldTrustRoot(agent);
  const { sequence, history, block, trustRoot, timestampSeconds } = proven;
  const isNewRoot = trustRoot.version > held.version;
  const seenSeconds = isNewRoot ? 0 : (lastProvenAt(agent, held)?.blockSeconds ?? 0);
  // An old block that somebody took by hand ends no silence: it says nothing about the time since (D31).
  const isOld = agent.clock.nowSeconds() - timestampSeconds > held.maxAgeSeconds;
  return {
    lastProven: isSamePlace(held, trustRoot)
      ? { sequence, history, product: held.product, block, blockSeconds: Math.max(seenSeconds, timestampSeconds) }
      : null,
    time: isOld && !isNewRoot ? agent.clock.snapshot() : agent.clock.proven(timestampSeconds, { isNewRoot }),
    ...(isNewRoot && { trustRoot: trustRoot.envelope, trustRootGrounds: 'chain' }),
  };
}

/**
 * Adopts the one next root that a source has, if nothing has verified for 90 days; answers whether it did.
 * @throws FirmproofError `trust-root-ahead`, `trust-root-*`, `unavailable`
 */
export async function stepInSilence(agent: Agent, source: Pick<Source, 'trustRoots'>): Promise<boolean> {
  const { clock, journal } = agent;
  const held = heldTrustRoot(agent);
  const roots = await source.trustRoots(held);
  const next = nextTrustRootInSilence(held, roots, clock.silentSeconds());
  if (next === null) return false;
  await journal.write({
    trustRoot: next.envelope,
    trustRootGrounds: 'silence',
    ...(changesWitnesses(held, next)
      ? { lastProven: null, time: clock.startAgain(next.madeAt ?? 0) }
      : { time: clock.snapshot() }),
  });
  return true;
}
