import { attestationDigest, type KeptStatement } from '@firmproof/protocol';

/** A row as the API shows it. */
export const keptStatement = (row: { readonly text: string; readonly received_at: number }): KeptStatement => ({
  digest: attestationDigest(row.text),
  receivedAt: Number(row.received_at),
  attestation: row.text,
});
