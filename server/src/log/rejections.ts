import type { Address, Signer } from '@firmproof/protocol';
import { type ProposalWatcher, rejectionsOf } from '../proposals/proposal-store.ts';
import type { ServerLog } from './server-log.ts';

/** Signers who reject a proposal. Their reasons are with the proposal. */
export function rejectionsTo(serverLog: ServerLog): ProposalWatcher {
  return async (transaction, before, after) => {
    const known = new Set((before ? rejectionsOf(before) : []).map(rejection));
    for (const made of rejectionsOf(after)) {
      if (known.has(rejection(made))) continue;
      const owners = [after.publisher, after.approver].filter((owner) => owner !== '') as Address[];
      await serverLog.append(transaction, owners, {
        actor: `signer:${made.signer}`,
        action: 'proposal-rejected',
        subject: after.id,
        details: { kind: after.kind, ...(after.version && { version: after.version }) },
      });
    }
  };
}

const rejection = ({ signer, signature }: { readonly signer: Signer; readonly signature: string }) =>
  `${signer} ${signature}`;
