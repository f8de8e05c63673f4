import type { ErrorCode } from '@firmproof/protocol';
import { forgeProof } from './lying-server.ts';

export type EvidenceCase = readonly [code: ErrorCode, document: object, device?: object, nowSeconds?: number];

/** Changes of the evidence in the vectors, each with the code that it must meet in every implementation. */
// biome-ignore lint/suspicious/noExplicitAny: a vector, read as another language would.
export function evidenceCases({ evidence, older }: any): readonly EvidenceCase[] {
  const { storageProofs, block, release } = evidence;
  const week = 7 * 86_400;
  return [
    ['no-quorum', { ...evidence, cosignatures: evidence.cosignatures.slice(0, 1) }],
    ['no-quorum', { ...evidence, block: { ...block, timestamp: block.timestamp + 1 } }],
    ['chain-mismatch', { ...evidence, block: { ...block, chainId: 1 } }],
    ['stale', evidence, {}, block.timestamp + week + 1],
    ['account-proof-invalid', { ...evidence, accountProof: forgeProof(evidence.accountProof) }],
    [
      'storage-proof-invalid',
      { ...evidence, storageProofs: { ...storageProofs, history: forgeProof(storageProofs.history) } },
    ],
    ['proof-too-large', { ...evidence, accountProof: Array(65).fill(evidence.accountProof[0]) }],
    ['sequence-rollback', older, { lastProven: { sequence: 5, history: `0x${'00'.repeat(32)}` } }],
    ['equivocation', evidence, { lastProven: { sequence: 5, history: `0x${'00'.repeat(32)}` } }],
    ['below-rollback-floor', evidence, { rollbackFloor: 1 }],
    ['commitment-mismatch', { ...evidence, release: { ...release, image: older.release.image } }],
    ['already-installed', evidence, { installed: { version: '2.0.0', image: release.image } }],
  ];
}
