import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { abiWord } from './bytes.ts';
import type { ProductId } from './names.ts';
import type { HeadSchedule } from './storage-layout.ts';

export const wholeFleetBasisPoints = 10_000;

/** The share of the fleet, in basis points, that a rollout has reached at `timeSeconds`: a straight ramp from firstShare to all. */
export function shareAt(
  schedule: Pick<HeadSchedule, 'start' | 'duration' | 'firstShare'>,
  timeSeconds: number,
): number {
  const elapsed = timeSeconds - schedule.start;
  if (elapsed < 0) return 0;
  if (elapsed >= schedule.duration) return wholeFleetBasisPoints;
  const ramp = wholeFleetBasisPoints - Math.min(schedule.firstShare, wholeFleetBasisPoints);
  return wholeFleetBasisPoints - ramp + Math.floor((ramp * elapsed) / schedule.duration);
}

/**
 * Whether a device is inside the share: first four bytes of sha256(secret ‖ product ‖ uint256 release sequence), taken as
 * a fraction of 2^32. The secret keeps anybody from choosing whom a rollout reaches first; the release's sequence, which
 * never changes, keeps promoting again from reshuffling the fleet (A44).
 */
export function isInShare(
  secret: Uint8Array,
  product: ProductId,
  releaseSequence: number,
  shareBasisPoints: number,
): boolean {
  const hash = sha256(concatBytes(secret, abiWord(product), abiWord(releaseSequence)));
  const bucket = new DataView(hash.buffer, hash.byteOffset).getUint32(0);
  return bucket * wholeFleetBasisPoints < shareBasisPoints * 2 ** 32;
}
