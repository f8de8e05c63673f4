import { attestationDigest, parseAttestation, type Statement, type Version } from '@firmproof/protocol';
import type { ProductAudit } from '../data/audit.ts';
import { auditRelease, type ReleaseAudit } from '../data/release-checks.ts';

/** A release with its statement, which is the one whose digest the history records: otherwise there is none. */
export type Side = {
  readonly audited: ReleaseAudit;
  readonly statement: Statement | null;
  /** By what the attestation says to be signed; the checks say whether that holds. */
  readonly signedBy: string | null;
};

export type Comparison = { readonly from: Side | null; readonly to: Side | null };

/** Both releases, each with everything that was checked about it; null for one that the history does not have. */
export async function loadComparison(audit: ProductAudit, from: Version, to: Version): Promise<Comparison> {
  const [before, now] = await Promise.all([loadSide(audit, from), loadSide(audit, to)]);
  return { from: before, to: now };
}

async function loadSide(audit: ProductAudit, version: Version): Promise<Side | null> {
  const audited = await auditRelease(audit, version);
  if (audited === null) return null;
  const { statement } = audited;
  return { audited, statement, signedBy: statement && (await signerOf(audit, audited)) };
}

async function signerOf({ carrier, product }: ProductAudit, { release }: ReleaseAudit): Promise<string | null> {
  const text = await carrier.attestation(product, release.version).catch(() => '');
  if (attestationDigest(text) !== release.attestation) return null;
  const attestation = parseAttestation(text);
  return attestation.kind === 'keyed' ? `build key ${attestation.hint}` : 'an identity, through Sigstore';
}
