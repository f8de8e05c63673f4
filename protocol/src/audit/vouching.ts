import type { Sha256Digest } from '../digest.ts';
import { FirmproofError } from '../errors.ts';
import { readTrustRoot, type TrustRoot, trustRootOfEnvelope } from '../trust-root.ts';
import { walkTrustRoot } from '../trust-root-step.ts';
import { type BlockStatement, type Cosignature, vouchingOperators } from '../witness.ts';
import type { ProductProof } from './product-proof.ts';

export type Vouching = {
  /** Each operator once, however many keys it has. */
  readonly operators: readonly string[];
  readonly quorum: number;
  readonly reached: boolean;
};

/** Which operators of the trust root vouch for a block, and whether they are enough (V5). */
export function vouchedByWitnesses(
  block: BlockStatement,
  cosignatures: readonly Cosignature[],
  trustRoot: TrustRoot,
): Vouching {
  const { quorum } = trustRoot.witnesses;
  if (block.chainId !== trustRoot.chainId) return { operators: [], quorum, reached: false };
  const operators = [...vouchingOperators(block, cosignatures, trustRoot.witnesses)];
  return { operators, quorum, reached: operators.length >= quorum };
}

/**
 * The trust root that the chain names, out of those that came with a proof.
 * @param held one that the reader has from elsewhere: the way from it to the named one is then checked step by step. Without
 * it, the signatures of the named root's own keys are all that is checked: who names the witnesses is then only the chain,
 * as this proof shows it, and a reader has to say so (V5).
 * @throws FirmproofError `trust-root-mismatch`, `trust-root-version`, `trust-root-signature-invalid`, `trust-root-malformed`
 */
export function namedTrustRoot(
  { trustRoots }: Pick<ProductProof, 'trustRoots'>,
  named: Sha256Digest,
  held?: TrustRoot,
): TrustRoot {
  if (held !== undefined) return walkTrustRoot(held, trustRoots, named);
  const envelope = trustRoots.find((candidate) => readTrustRoot(candidate).digest === named);
  if (envelope !== undefined) return trustRootOfEnvelope(envelope);
  throw new FirmproofError('trust-root-mismatch', `the chain names trust root ${named}, which was not sent along`);
}
