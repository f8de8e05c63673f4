import {
  FirmproofError,
  type registerRequestSchema,
  type TrustRoot,
  trustRootOfEnvelope,
  walkTrustRoot,
  zeroBytes32,
} from '@firmproof/protocol';
import type { z } from 'zod';

/**
 * The trust roots that a new product brings along from its predecessor, oldest first; none where it has none. Each step is
 * verified as a device would, so that devices which still hold one of them find their way here when the old chain is dead.
 * @throws FirmproofError `trust-root-version`, `trust-root-signature-invalid`, `trust-root-mismatch`
 */
export function lineageOf(
  { message, trustRoots = [] }: Pick<z.output<typeof registerRequestSchema>, 'message' | 'trustRoots'>,
  root: TrustRoot,
): readonly TrustRoot[] {
  if (message.predecessor === zeroBytes32) {
    if (root.version === 1 && trustRoots.length === 0) return [];
    throw new FirmproofError('trust-root-version', 'a product without a predecessor starts with trust root version 1');
  }
  const lineage = trustRoots.map(trustRootOfEnvelope);
  const [first, ...rest] = lineage;
  const last = lineage.at(-1);
  if (first === undefined || last === undefined || lineage.some(({ version }, index) => version !== index + 1)) {
    throw new FirmproofError('trust-root-version', 'the trust roots of the predecessor are missing, from version 1 on');
  }
  if (last.product !== message.predecessor) {
    throw new FirmproofError('trust-root-mismatch', 'the last of those trust roots is not for the predecessor');
  }
  walkTrustRoot(
    first,
    [...rest, root].map(({ envelope }) => envelope),
    root.digest,
  );
  return lineage;
}
