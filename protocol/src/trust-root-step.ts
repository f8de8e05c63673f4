import * as z from 'zod';
import type { Sha256Digest } from './digest.ts';
import { type Envelope, envelopeSchema } from './dsse.ts';
import { FirmproofError } from './errors.ts';
import { parseJson } from './json.ts';
import { readTrustRoot, requireSigners, type TrustRoot } from './trust-root.ts';

/** Everything that a device reads of a chain of trust roots, in bytes of JSON text. */
export const maximumTrustRootsBytes = 4 * 1024 * 1024;

const trustRootsSchema = z.object({ items: z.array(envelopeSchema).max(1024) });

/** The answer of `GET …/trust-roots`. @throws FirmproofError `trust-root-malformed` */
export function parseTrustRoots(text: string): readonly Envelope[] {
  return parseJson(text, trustRootsSchema, {
    code: 'trust-root-malformed',
    maximumBytes: maximumTrustRootsBytes,
    what: 'the chain of trust roots',
  }).items;
}

/** Device time without any evidence that verifies, after which signatures alone lead to the next root (release.md R5.8). */
export const silenceSeconds = 90 * 86_400;

type Place = Pick<TrustRoot, 'chainId' | 'registry' | 'product'>;

/** Whether two trust roots speak of the same product of the same registry on the same chain. */
export const isSamePlace = (a: Place, b: Place): boolean =>
  a.chainId === b.chainId && a.registry === b.registry && a.product === b.product;

/**
 * One step, null for a root that is no newer: it follows directly on the version before, and is signed by the old *and* the new threshold. A product id is
 * bound to its chain and registry, so a root that keeps the one and changes the others could never be proved.
 * @throws FirmproofError `trust-root-version`, `trust-root-signature-invalid`, `trust-root-mismatch`, `trust-root-malformed`
 */
function step(from: TrustRoot, envelope: Envelope): TrustRoot | null {
  const next = readTrustRoot(envelope);
  // Passed over before a signature is checked: a thousand old roots must cost nothing.
  if (next.version <= from.version) return null;
  if (next.version !== from.version + 1) {
    throw new FirmproofError('trust-root-version', `trust root ${next.version} does not follow on ${from.version}`);
  }
  for (const { version, rootKeys } of [next, from]) requireSigners(envelope, rootKeys, `version ${version}`);
  if (next.product === from.product && !isSamePlace(from, next)) {
    throw new FirmproofError(
      'trust-root-mismatch',
      'the trust root names another chain or registry for the same product',
    );
  }
  return next;
}

/**
 * Walks from the root that a device holds to the one that the chain names. Never goes further than the chain
 * (docs/spec/device.md D9).
 * @throws FirmproofError `trust-root-mismatch`, `trust-root-version`, `trust-root-signature-invalid`, `trust-root-malformed`
 */
export function walkTrustRoot(held: TrustRoot, steps: readonly Envelope[], named: Sha256Digest): TrustRoot {
  let current = held;
  for (const envelope of steps) {
    if (current.digest === named) break;
    current = step(current, envelope) ?? current;
  }
  if (current.digest !== named) {
    throw new FirmproofError('trust-root-mismatch', `the chain names trust root ${named}, the way there is missing`);
  }
  return current;
}

/**
 * The one next root, for a device to which nothing has been proved for long enough: signatures alone carry it (device.md
 * D15). Null when there is no newer one.
 * @param silentSeconds device time since evidence last verified
 * @throws FirmproofError `trust-root-ahead` while it has not been silent for long enough, and as `walkTrustRoot`
 */
export function nextTrustRootInSilence(
  held: TrustRoot,
  steps: readonly Envelope[],
  silentSeconds: number,
): TrustRoot | null {
  for (const envelope of steps) {
    const reached = step(held, envelope);
    if (reached === null) continue;
    if (silentSeconds >= silenceSeconds) return reached;
    throw new FirmproofError(
      'trust-root-ahead',
      `trust root ${reached.version} is signed, but no chain names it to this device, and evidence has verified in the last 90 days`,
    );
  }
  return null;
}

/**
 * Whether adopting `next` in silence starts the remembered counters and time again: only where those who may have driven
 * them up no longer vouch. Else old evidence could be shown again to a device that was kept in the dark.
 */
export const changesWitnesses = (held: TrustRoot, next: TrustRoot): boolean =>
  !isSamePlace(held, next) || JSON.stringify(held.witnesses) !== JSON.stringify(next.witnesses);
