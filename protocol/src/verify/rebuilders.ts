import type { Attestation } from '../attestation.ts';
import type { Sha256Digest } from '../digest.ts';
import { FirmproofError } from '../errors.ts';
import type { Evidence } from '../evidence.ts';
import type { Version } from '../names.ts';
import { countedRebuilds } from '../rebuild.ts';
import type { TrustRoot } from '../trust-root.ts';
import type { DeviceState } from './verdict.ts';

/** D17: as many rebuilders as this device wants vouch for the release. What is missing may still come: it waits. */
export function enoughRebuilders(
  { rebuilds = [] }: Evidence,
  root: TrustRoot,
  release: { readonly version: Version; readonly image: Sha256Digest; readonly attestation: Attestation },
  { minimumRebuilders: minimum = 0 }: DeviceState,
): void {
  if (minimum === 0) return;
  const { version, image, attestation } = release;
  const attestedBy = attestation.kind === 'keyed' ? attestation.hint : null;
  const found = countedRebuilds(rebuilds, root, { version, image, attestedBy }).length;
  if (found >= minimum) return;
  const named = new Set(root.rebuilders?.map(({ name }) => name)).size;
  const why = named < minimum ? `; the trust root names ${named}` : '';
  throw new FirmproofError('rebuilders-missing', `${found} of ${minimum} needed rebuilders vouch for ${version}${why}`);
}
