import { EventEmitter } from 'node:events';
import {
  type ErrorCode,
  type ExportedProposal,
  exportedProposalSchema,
  FirmproofError,
  type Proposal,
  type ProposalState,
  proposalSchema,
  type Requirements,
  type Signer,
} from '@firmproof/protocol';
import type { ChainRequest } from '@firmproof/protocol/approval';
import type { Selectable, Transaction } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';

export type StoredProposal = Selectable<Tables['proposals']>;
export type Reason = { readonly code: ErrorCode; readonly message: string };
/** `epoch`: the signer epoch of the account when it was made. `at`: seconds since 1970. */
export type StoredApproval = { signer: Signer; signature: `0x${string}`; epoch: number; at: number };
export type StoredRejection = { signer: Signer; signature: string; reason: string; at: number };

export const finalStates: readonly ProposalState[] = ['confirmed', 'rejected', 'expired'];

/** @throws FirmproofError `proposal-closed` */
export function requireOpen({ state }: Pick<StoredProposal, 'state'>): void {
  if (finalStates.includes(state as ProposalState))
    throw new FirmproofError('proposal-closed', `the proposal is ${state}`);
}

/** Whether nothing of it has been sent to the chain. */
export const isUnsent = ({ state }: Pick<StoredProposal, 'state'>): boolean =>
  state !== 'submitted' && !finalStates.includes(state as ProposalState);

const nobodyElse = { approvals: '[]', rejections: '[]', requirements: null } as const;

/** Is told of a change in its transaction; `before` is null where the proposal is new or starts over. */
export type ProposalWatcher = (
  transaction: Transaction<Tables>,
  before: StoredProposal | null,
  after: StoredProposal,
) => Promise<void>;

export type ProposalStore = ReturnType<typeof createProposalStore>;

/** Proposals and their history. Every change is one transaction with its event, so that followers miss nothing. */
export function createProposalStore(
  database: Database,
  nowSeconds: () => number,
  watchers: readonly ProposalWatcher[] = [],
) {
  const changes = new EventEmitter().setMaxListeners(0);

  async function find(id: string): Promise<StoredProposal | undefined> {
    return database.selectFrom('proposals').selectAll().where('id', '=', id).executeTakeFirst();
  }

  async function write(
    transaction: Transaction<Tables>,
    before: StoredProposal | null,
    row: StoredProposal,
  ): Promise<Proposal> {
    const resource = toResource(row);
    const { id, ...columns } = row;
    await transaction
      .insertInto('proposals')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
      .execute();
    await transaction
      .insertInto('proposal_events')
      .values({ proposal: id, document: JSON.stringify(resource) })
      .execute();
    for (const watcher of watchers) await watcher(transaction, before, row);
    return resource;
  }

  /**
   * Changes the row as it is now, with its event, in one transaction: approvals arrive while the worker moves the proposal, and
   * neither may undo the other. A change of null changes nothing.
   */
  async function update(
    id: string,
    change: (row: StoredProposal) => Partial<StoredProposal> | null,
  ): Promise<StoredProposal> {
    const { row, resource } = await database.transaction().execute(async (transaction) => {
      const now = await transaction.selectFrom('proposals').selectAll().where('id', '=', id).executeTakeFirst();
      if (!now) throw new Error(`proposal ${id} is gone`);
      const changed = change(now);
      if (changed === null) return { row: now, resource: null };
      const next = { ...now, ...changed, updated_at: nowSeconds() };
      return { row: next, resource: await write(transaction, now, next) };
    });
    if (resource !== null) changes.emit(id, resource);
    return row;
  }

  return {
    find,
    changes,

    /** The proposal of this id, made if there is none. A rejected or expired one starts over. */
    async open(
      draft: Pick<
        StoredProposal,
        | 'id'
        | 'kind'
        | 'product'
        | 'publisher'
        | 'version'
        | 'channel'
        | 'image_digest'
        | 'image_cid'
        | 'image_size'
        | 'approver'
        | 'held'
      > & {
        readonly request: ChainRequest['body'];
      },
    ): Promise<Proposal> {
      const existing = await find(draft.id);
      if (existing && !['rejected', 'expired'].includes(existing.state)) return toResource(existing);
      const now = nowSeconds();
      const row = {
        ...draft,
        request: JSON.stringify(draft.request),
        state: 'received',
        reason_code: null,
        reason_message: null,
        transaction_hash: null,
        raw_transaction: null,
        ...nobodyElse,
        created_at: existing?.created_at ?? now,
        updated_at: now,
      } as const;
      const resource = await database.transaction().execute((transaction) => write(transaction, null, row));
      changes.emit(row.id, resource);
      return resource;
    },

    /** Moves a proposal on. Says nothing to followers when nothing has changed. */
    async move(
      row: StoredProposal,
      state: ProposalState,
      change: { reason?: Reason | null; transaction?: { hash: string; raw: string } | null } = {},
    ): Promise<void> {
      const reason = change.reason ?? null;
      await update(row.id, (now) => {
        const sameReason =
          now.reason_code === (reason?.code ?? null) && now.reason_message === (reason?.message ?? null);
        if (now.state === state && sameReason && change.transaction === undefined) return null;
        return {
          state,
          reason_code: reason?.code ?? null,
          reason_message: reason?.message ?? null,
          ...(change.transaction !== undefined && {
            transaction_hash: change.transaction?.hash ?? null,
            raw_transaction: change.transaction?.raw ?? null,
          }),
        };
      });
    },

    /** Writes down what came for a proposal while it waits. @throws FirmproofError `proposal-closed` */
    amend: (
      id: string,
      change: (row: StoredProposal) => Partial<Pick<StoredProposal, 'approvals' | 'rejections' | 'request' | 'held'>>,
    ): Promise<StoredProposal> =>
      // Whatever it was that it waited for has to be looked at again.
      update(id, (row) => {
        requireOpen(row);
        return { reason_code: null, reason_message: null, ...change(row) };
      }),

    /** Its approver, or another one, has signed for itself what so far waited for approvals. */
    async sign(id: string, { approver, request }: Pick<StoredProposal, 'approver' | 'request'>): Promise<Proposal> {
      const row = await update(id, (now) =>
        isUnsent(now) ? { approver, request, ...nobodyElse, reason_code: null, reason_message: null } : null,
      );
      return toResource(row);
    },

    /** Says why it is held back; false where somebody has asked for it meanwhile. */
    async holdBack(id: string, { code, message }: Reason): Promise<boolean> {
      const row = await update(id, ({ held, reason_code }) =>
        held === 0 || reason_code === code ? null : { reason_code: code, reason_message: message },
      );
      return row.held === 1;
    },

    /** Who has to approve it, as the chain says now. */
    require: (id: string, requirements: Requirements): Promise<StoredProposal> =>
      update(id, () => ({ requirements: JSON.stringify(requirements) })),

    /** Whether a release of this version is on its way. */
    async isProposed(product: string, version: string): Promise<boolean> {
      const row = await database
        .selectFrom('proposals')
        .select('id')
        .where('kind', '=', 'publish')
        .where('product', '=', product)
        .where('version', '=', version)
        .where('state', 'not in', [...finalStates])
        .executeTakeFirst();
      return row !== undefined;
    },

    /** Of an approver, newest first. */
    async ofApprover(approver: string, limit: number): Promise<StoredProposal[]> {
      return database
        .selectFrom('proposals')
        .selectAll()
        .where('approver', '=', approver)
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute();
    },

    /** Of a product, newest first. */
    async ofProduct(product: string, limit: number): Promise<StoredProposal[]> {
      return database
        .selectFrom('proposals')
        .selectAll()
        .where('product', '=', product)
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute();
    },

    /** In the order in which they came. */
    async unfinished(): Promise<StoredProposal[]> {
      return database
        .selectFrom('proposals')
        .selectAll()
        .where('state', 'not in', [...finalStates])
        .orderBy(({ selectFrom }) =>
          selectFrom('proposal_events')
            .select(({ fn }) => fn.min('position').as('first'))
            .whereRef('proposal_events.proposal', '=', 'proposals.id'),
        )
        .execute();
    },

    /** After a reorganisation: what was confirmed may be gone, and is looked at again. */
    async reopenConfirmed(): Promise<void> {
      await database.updateTable('proposals').set({ state: 'submitted' }).where('state', '=', 'confirmed').execute();
    },

    async history(id: string): Promise<Proposal[]> {
      const rows = await database
        .selectFrom('proposal_events')
        .select('document')
        .where('proposal', '=', id)
        .orderBy('position')
        .execute();
      return rows.map((row) => proposalSchema.parse(JSON.parse(row.document)));
    },
  };
}

export function requestOf(row: Pick<StoredProposal, 'kind' | 'request'>): ChainRequest {
  return { kind: row.kind, body: JSON.parse(row.request) } as ChainRequest;
}
export const approvalsOf = (row: StoredProposal) => JSON.parse(row.approvals) as StoredApproval[];
export const rejectionsOf = (row: StoredProposal) => JSON.parse(row.rejections) as StoredRejection[];
export const requirementsOf = (row: StoredProposal) =>
  row.requirements === null ? null : (JSON.parse(row.requirements) as Requirements);

/** The message that is approved; a new publisher's acceptance where a configuration is applied. */
function messageOf(row: StoredProposal): object | undefined {
  const { kind, body } = requestOf(row);
  if (kind === 'create-account') return undefined;
  return kind === 'apply' ? (body.acceptance?.message ?? body.message) : body.message;
}

/** The request with the approvals that count now: what anybody needs to relay it. */
export function exported(row: StoredProposal): ExportedProposal {
  const { kind, body } = requestOf(row);
  const requirements = requirementsOf(row);
  const approvals = approvalsOf(row)
    .filter(({ epoch }) => epoch === requirements?.epoch)
    .map(({ signer, signature }) => ({ signer, signature }));
  const filled =
    kind === 'apply'
      ? { ...body, ...(body.acceptance && { acceptance: { ...body.acceptance, approvals } }) }
      : { ...body, approvals };
  return exportedProposalSchema.parse({
    id: row.id,
    kind,
    request: filled,
    ...(requirements && { requirements }),
  });
}

/** The row as the API shows it. */
export function toResource(row: StoredProposal): Proposal {
  const image = row.image_digest && { digest: row.image_digest, cid: row.image_cid, sizeBytes: Number(row.image_size) };
  return proposalSchema.parse({
    id: row.id,
    kind: row.kind,
    ...(row.product.length === 66 && { product: row.product }),
    ...(row.approver && { approver: row.approver }),
    message: messageOf(row),
    ...(row.requirements && { requirements: requirementsOf(row) }),
    approvals: approvalsOf(row).map(({ signer, epoch, at }) => ({ signer, epoch, at })),
    rejections: rejectionsOf(row).map(({ signer, reason, at }) => ({ signer, reason, at })),
    held: row.held === 1,
    state: row.state,
    ...(row.reason_code && { reason: { code: row.reason_code, message: row.reason_message ?? '' } }),
    ...(row.version && { version: row.version }),
    ...(row.channel && { channel: row.channel }),
    ...(image && { image }),
    ...(row.transaction_hash && { transaction: row.transaction_hash }),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  });
}
