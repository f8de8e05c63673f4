import type { Address, DeviceResource, ProductId } from '@firmproof/protocol';
import type { Transaction } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { approvalsOf, type ProposalWatcher, requirementsOf, type StoredProposal } from '../proposals/proposal-store.ts';
import type { Outbox } from './outbox.ts';

const waitingReasons: readonly string[] = ['approvals-missing', 'browser-alone', 'held-back'];
const waits = ({ state, reason_code }: StoredProposal) =>
  state === 'approving' && reason_code !== null && waitingReasons.includes(reason_code);

/** What has become of a proposal that somebody should know; null where that is nothing. */
function newsOf(before: StoredProposal | null, after: StoredProposal) {
  if (waits(after)) return before !== null && waits(before) ? null : 'proposal.waiting';
  if (after.state === before?.state) return null;
  switch (after.state) {
    case 'confirmed':
      return 'proposal.confirmed';
    case 'rejected':
      return 'proposal.rejected';
    case 'expired':
      return 'proposal.expired';
    default:
      return null;
  }
}

/** Tells publisher and approver how a proposal goes on. */
export function proposalEventsTo(outbox: Outbox): ProposalWatcher {
  return async (transaction, before, after) => {
    const type = newsOf(before, after);
    if (type === null) return;
    const isAboutProduct = after.product.length === productIdCharacters;
    const requirements = requirementsOf(after);
    const data = {
      proposal: after.id,
      kind: after.kind,
      ...(isAboutProduct && { product: after.product }),
      ...(after.version && { version: after.version }),
      ...(after.channel && { channel: after.channel }),
      ...(after.reason_code && { reason: { code: after.reason_code, message: after.reason_message ?? '' } }),
      ...(requirements && {
        approvals: approvalsOf(after).filter(({ epoch }) => epoch === requirements.epoch).length,
        thresholds: requirements.quorums.map(({ role, threshold }) => ({ role, threshold })),
      }),
      ...(after.transaction_hash && { transaction: after.transaction_hash }),
    };
    for (const publisher of new Set([after.publisher, after.approver]))
      if (publisher !== '')
        await outbox.tell(transaction, {
          publisher: publisher as Address,
          product: isAboutProduct ? after.product : null,
          type,
          at: Number(after.updated_at),
          data,
        });
  };
}

const productIdCharacters = 66;

export type FlagWatcher = (
  transaction: Transaction<Tables>,
  flagged: {
    readonly product: ProductId;
    readonly keyDigest: string;
    readonly device: string;
    readonly flag: DeviceResource['flags'][number];
    /** The flags that it had. */
    readonly before: string;
  },
) => Promise<void>;

/** Tells the publisher of a device that somebody should look at; once for each kind of flag, until somebody has looked. */
export function flagsTo(outbox: Outbox): FlagWatcher {
  return async (transaction, { product, keyDigest, device, flag, before }) => {
    const known = JSON.parse(before) as DeviceResource['flags'];
    if (known.some(({ code }) => code === flag.code)) return;
    const row = await transaction
      .selectFrom('products')
      .select('publisher')
      .where('id', '=', product)
      .executeTakeFirst();
    if (!row) return;
    await outbox.tell(transaction, {
      publisher: row.publisher as Address,
      product,
      type: 'device.flagged',
      at: flag.at,
      data: { product, device, keyDigest, code: flag.code, evidence: flag.evidence },
    });
  };
}
