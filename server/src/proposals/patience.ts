import { isFirmproofError } from '@firmproof/protocol';
import type { ChainRequest } from '@firmproof/protocol/approval';
import type { ProposalStore } from './proposal-store.ts';

/** When the approvals of a proposal expire, in seconds since 1970. */
export function deadlineOf({ kind, body }: ChainRequest): number {
  if (kind === 'create-account') return Number.POSITIVE_INFINITY;
  // What is scheduled waits until it is applied; only a new publisher's acceptance expires, and an announced recovery does not.
  if (kind === 'apply') return body.acceptance?.message.deadline ?? Number.POSITIVE_INFINITY;
  return kind === 'recover' ? Number.POSITIVE_INFINITY : body.message.deadline;
}

/**
 * Whether a refusal may pass: the release is proposed but not recorded yet, or the channel has not come so far yet, or the
 * time has not. Approvals are collected meanwhile.
 */
export async function isOnlyEarly(
  store: ProposalStore,
  request: ChainRequest,
  held: boolean,
  error: unknown,
): Promise<boolean> {
  if (!isFirmproofError(error)) return false;
  const { contractError, counter, expected } = error.details ?? {};
  switch (contractError) {
    case 'CounterMismatch':
      return held && BigInt(String(counter)) > BigInt(String(expected));
    case 'ReleaseNotActive':
      return (
        request.kind === 'promote' &&
        (await store.isProposed(request.body.message.product, request.body.message.version))
      );
    case 'NoticeNotOver':
    case 'DelayNotOver':
      return true;
    default:
      return false;
  }
}
