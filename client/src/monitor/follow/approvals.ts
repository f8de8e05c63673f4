import {
  type Address,
  addressSchema,
  formatSigner,
  isFirmproofError,
  parseJson,
  parseSigner,
  type Signer,
} from '@firmproof/protocol';
import {
  approvalOf,
  decodeEntry,
  type EventApproval,
  entrySchema,
  type HistoryEvent,
  transactionSchema,
} from '@firmproof/protocol/audit';
import { RpcRefusal } from '@firmproof/protocol/node';
import { z } from 'zod';
import type { SignerHistories } from '../../audit/account-reader.ts';
import type { RpcNode } from '../../audit/rpc-node.ts';
import type { Notice } from '../alert.ts';
import type { WatchedProduct } from '../config.ts';
import type { MonitorState } from '../state.ts';

/** How many approvals are looked at in one round: the others wait for the next. */
const atOnce = 50;

const rpcTransactionSchema = z.object({
  hash: z.string().toLowerCase(),
  to: z.string().toLowerCase().nullable(),
  input: z.string().toLowerCase(),
});

/** What one look at an approval has come to. */
export type ApprovalLook = { readonly event: HistoryEvent } & (
  | { readonly seen: true; readonly notice: Notice | null }
  | { readonly seen: false; readonly why: string }
);

type OpenApproval = { readonly event: HistoryEvent; readonly approver: Address | null };

/** Events of which nobody has seen yet who approved them. */
export function openApprovals({ database }: MonitorState, { product }: WatchedProduct): readonly OpenApproval[] {
  const rows = database
    .prepare(
      `select entry, approver from entries where product = ? and approval = 'open' order by sequence limit ${atOnce}`,
    )
    .all(product);
  return rows.map(({ entry, approver }) => ({
    event: decodeEntry(
      parseJson(String(entry), entrySchema, { code: 'monitor-state-damaged', maximumBytes: 8192, what: 'an entry' }),
    ),
    approver: approver === null ? null : addressSchema.parse(approver),
  }));
}

/** Within a transaction of the caller. */
export function markSeen({ database }: MonitorState, { product }: WatchedProduct, sequence: number): void {
  database.prepare(`update entries set approval = 'seen' where product = ? and sequence = ?`).run(product, sequence);
}

/**
 * Finds out who approved an event from the signatures in its transaction, which any node may hand over: they are verified here.
 */
export async function lookAtApproval(
  { event, approver }: OpenApproval,
  watched: WatchedProduct,
  nodes: readonly RpcNode[],
  signers: SignerHistories,
): Promise<ApprovalLook> {
  const { expectedSigners, chainId, registry } = watched;
  const signerSets = (approver && (await signers(approver)))?.sets;
  let why = 'no node has its transaction';
  let missed: EventApproval | null = null;
  for (const node of nodes) {
    try {
      const raw = rpcTransactionSchema.safeParse(await node.call('eth_getTransactionByHash', [event.transaction], 1));
      const transaction = transactionSchema.safeParse(raw.data);
      if (!transaction.success) continue;
      const approval = await approvalOf(event, transaction.data, { chainId, registry, approver, signerSets });
      // The chain has never taken one that was not enough: whoever hands it over lies, and another may not.
      if (approval.quorum === 'missed') {
        missed = approval;
        continue;
      }
      return { event, seen: true, notice: expectedSigners && judgeApproval(event, approval, expectedSigners) };
    } catch (error) {
      if (!isFirmproofError(error) && !(error instanceof RpcRefusal)) throw error;
      why = error.message;
    }
  }
  if (missed) return { event, seen: true, notice: expectedSigners && judgeApproval(event, missed, expectedSigners) };
  return { event, seen: false, why };
}

/** What is wrong with an approval, compared with the keys that are expected; null where nothing is. */
function judgeApproval(
  event: HistoryEvent,
  { approver, form, signers, quorum, signersBy }: EventApproval,
  expected: ReadonlySet<Signer>,
): Notice | null {
  const what = describeEvent(event);
  const about = {
    sequence: event.sequence,
    ...('version' in event && { version: event.version }),
    ...('channel' in event && { channel: event.channel }),
  };
  const unproven = (why: string, severity: Notice['severity'] = 'warn'): Notice => ({
    ...about,
    code: 'approval-unproven',
    severity,
    message: `who approved ${what} cannot be proven: ${why}`,
  });
  if (form === 'none' || approver === null) return null;
  if (form === 'unknown') return unproven('another contract called the registry');
  // Of a Safe and the like only the account is known: what it takes to approve for it is its own business.
  const voices = form === 'contract' ? [parseSigner(approver)] : signers.map(({ signer }) => signer);
  if (quorum === 'missed') return unproven('no node shows signatures of enough of its signers at that time', 'bad');
  const strangers = voices.filter((voice) => !expected.has(voice));
  if (strangers.length === 0) {
    const isKnown = form !== 'vendor-account' || (quorum === 'reached' && signersBy !== 'shown');
    return isKnown ? null : unproven(`whose keys account ${approver} had is not proven`);
  }
  const message = `${what} was approved by ${strangers.map(formatSigner).join(', ')}, of whom nobody is expected`;
  return { ...about, code: 'approval-unexpected', severity: 'bad', message };
}

const describeEvent = (event: HistoryEvent): string => {
  switch (event.kind) {
    case 'registered':
      return 'the registration';
    case 'published':
      return `the release ${event.version}`;
    case 'promoted':
      return `the promotion of ${event.version} in ${event.channel}`;
    case 'revoked':
      return `the revocation of ${event.version}`;
    case 'halted':
      return `the halt of ${event.channel}`;
    case 'scheduled':
    case 'applied':
      return `the change of configuration in event ${event.sequence}`;
    case 'vetoed':
      return `the veto in event ${event.sequence}`;
  }
};
