import {
  type Address,
  FirmproofError,
  type Proposal,
  parseAddress,
  type Reject,
  type Requirements,
  rejectTypes,
  type Signer,
  serverDomain,
} from '@firmproof/protocol';
import {
  type ChainRequest,
  type Demand,
  demandOfAction,
  demandOfChange,
  describeMissing,
  type Given,
  isAccountChange,
  isAccountRequest,
  isAsked,
  isOutOfReach,
  isSignedBy,
  requestTypedData,
  type SignerApproval,
  sortedOut,
  typedDataHash,
} from '@firmproof/protocol/approval';
import type { Accounts } from '../chain/accounts.ts';
import type { Registry } from '../chain/registry.ts';
import {
  approvalsOf,
  type ProposalStore,
  rejectionsOf,
  requestOf,
  requirementsOf,
  requireOpen,
  type StoredProposal,
  toResource,
} from './proposal-store.ts';
import { approverSignature } from './request-parts.ts';

/** As much of a proposal as says who has to approve what. */
type Draft = Pick<StoredProposal, 'kind' | 'request' | 'approver'>;

export type Approvals = ReturnType<typeof createApprovals>;

/** The request with the signature of an approver that signs for itself. */
function withSignature(request: ChainRequest, signature: string): ChainRequest['body'] {
  if (isAccountRequest(request)) return request.body;
  if (request.kind !== 'apply') return { ...request.body, signature };
  const { acceptance } = request.body;
  return acceptance ? { ...request.body, acceptance: { ...acceptance, signature } } : request.body;
}

/**
 * Collects what approves proposals. Everything is checked against the signers that the account has on chain when it arrives,
 * and again when it is used; the contract judges in the end.
 */
export function createApprovals(options: {
  readonly store: ProposalStore;
  readonly accounts: Accounts;
  readonly registry: Registry;
  readonly nowSeconds: () => number;
}) {
  const { store, accounts, registry, nowSeconds } = options;
  const { chainId } = registry;

  /** Who has to sign what; null where the approver signs for itself or nobody has to. */
  async function demandOf(row: Draft): Promise<Demand | null> {
    const request = requestOf(row);
    if (row.approver === '' || request.kind === 'create-account') return null;
    const team = await accounts.find(row.approver as Address);
    if (team === null) return null;
    if (isAccountChange(request)) return demandOfChange(team, request, chainId);
    const plain = requestTypedData({ chainId, registry: registry.address }, request);
    return plain && demandOfAction(team, plain, chainId);
  }

  function requireAsked(requirements: Requirements, signer: Signer): void {
    if (!isAsked(requirements, signer))
      throw new FirmproofError('signer-unknown', 'this key is not among the signers that have to approve');
  }

  function requireValid({ requirements, digest }: Demand, { signer, signature }: SignerApproval): void {
    requireAsked(requirements, signer);
    if (isSignedBy(signer, digest, signature)) return;
    throw new FirmproofError('approval-invalid', "the signature is not this signer's over this proposal", {
      hint: 'The signers of the account may have changed since: fetch the proposal and approve again.',
    });
  }

  /** The approver signs for itself, a Safe for instance, and is asked whether it has: anybody can send a signature. */
  async function keepSignature(row: StoredProposal, { signer, signature }: SignerApproval): Promise<Proposal> {
    if (signer !== row.approver)
      throw new FirmproofError(
        'signer-unknown',
        `${row.approver || 'nobody'} has to approve this, with its own signature`,
      );
    const request = requestOf(row);
    const plain = isAccountRequest(request) ? null : requestTypedData({ chainId, registry: registry.address }, request);
    if (plain === null || !(await accounts.approves(parseAddress(signer), typedDataHash(plain), signature)))
      throw new FirmproofError('approval-invalid', `${signer} does not take this for its signature over this proposal`);
    const amended = await store.amend(row.id, (now) => ({
      request: JSON.stringify(withSignature(requestOf(now), signature)),
    }));
    return toResource(amended);
  }

  /** Whether it has all approvals, and waits for somebody to ask for it. */
  async function isHeldBack(row: StoredProposal): Promise<boolean> {
    if (row.held === 0) return false;
    const message = 'all approvals are here; it is relayed when somebody asks for it';
    return store.holdBack(row.id, { code: 'held-back', message });
  }

  return {
    /**
     * Looks at a proposal that is about to be opened: somebody must be able to approve it, and what approves it already must
     * be in order.
     * @throws FirmproofError `signer-unknown`, `approval-invalid`, `account-not-found`
     */
    async requireApprovable(draft: Draft, approvals: readonly SignerApproval[]): Promise<void> {
      if (draft.approver === '' || approverSignature(requestOf(draft)) !== undefined) return;
      const demand = await demandOf(draft);
      if (demand !== null) {
        for (const approval of approvals) requireValid(demand, approval);
        return;
      }
      if (isAccountRequest(requestOf(draft)))
        throw new FirmproofError('account-not-found', `there is no vendor account at ${draft.approver}`);
      if (!(await accounts.hasCode(draft.approver as Address)))
        throw new FirmproofError('approval-invalid', `${draft.approver} is a single key, and its signature is missing`);
    },

    /**
     * Takes a signer's approval. The same once more changes nothing.
     * @throws FirmproofError `proposal-closed`, `signer-unknown`, `approval-invalid`
     */
    async add(row: StoredProposal, approval: SignerApproval): Promise<Proposal> {
      requireOpen(row);
      const demand = await demandOf(row);
      if (demand === null) return keepSignature(row, approval);
      requireValid(demand, approval);
      const { requirements } = demand;
      const { signer, signature } = approval;
      const { epoch } = requirements;
      const amended = await store.amend(row.id, (now) => {
        return {
          approvals: JSON.stringify([
            ...approvalsOf(now).filter((known) => known.signer !== signer || known.epoch !== epoch),
            { signer, signature, epoch, at: nowSeconds() },
          ]),
          // Who approves has thought better of it.
          rejections: JSON.stringify(rejectionsOf(now).filter((known) => known.signer !== signer)),
        };
      });
      return toResource(amended);
    },

    /** @throws FirmproofError `proposal-closed`, `signer-unknown`, `approval-invalid`, `approval-expired` */
    async reject(row: StoredProposal, message: Reject, { signer, signature }: SignerApproval): Promise<Proposal> {
      requireOpen(row);
      if (message.deadline < nowSeconds()) throw new FirmproofError('approval-expired', 'the rejection has expired');
      const demand = await demandOf(row);
      if (demand === null)
        throw new FirmproofError('signer-unknown', 'nobody but the approver itself is asked; it need not sign');
      requireAsked(demand.requirements, signer);
      const digest = typedDataHash({
        domain: serverDomain(chainId),
        types: rejectTypes,
        primaryType: 'Reject',
        message,
      });
      if (message.proposal !== row.id || !isSignedBy(signer, digest, signature))
        throw new FirmproofError('approval-invalid', 'the rejection is not signed by this signer');
      const amended = await store.amend(row.id, (now) => {
        return {
          approvals: JSON.stringify(approvalsOf(now).filter((known) => known.signer !== signer)),
          rejections: JSON.stringify([
            ...rejectionsOf(now).filter((known) => known.signer !== signer),
            { signer, signature, reason: message.reason, at: nowSeconds() },
          ]),
        };
      });
      return toResource(amended);
    },

    /**
     * What the contract needs to accept the proposal; null while it is not all here, with the reason written down.
     * @throws FirmproofError `rejected-by-signers`
     */
    async collect(row: StoredProposal): Promise<Given | null> {
      const own = approverSignature(requestOf(row));
      if (own !== undefined) return (await isHeldBack(row)) ? null : { signature: own };
      if (row.approver === '') return { approval: [], proof: [] };
      const demand = await demandOf(row);
      if (demand === null) {
        const message = `${row.approver} has not approved it yet`;
        await store.move(row, 'approving', { reason: { code: 'approvals-missing', message } });
        return null;
      }
      const { requirements, digest } = demand;
      if (JSON.stringify(requirements) !== JSON.stringify(requirementsOf(row)))
        row = await store.require(row.id, requirements);
      const current = rejectionsOf(row).filter(({ signer }) => isAsked(requirements, signer));
      if (
        isOutOfReach(
          requirements,
          current.map(({ signer }) => signer),
        )
      ) {
        const why = current.map(({ reason }) => reason).join('; ');
        throw new FirmproofError('rejected-by-signers', `too many signers have rejected it: ${why}`);
      }
      const valid = approvalsOf(row).filter(
        ({ signer, signature, epoch }) =>
          epoch === requirements.epoch && isAsked(requirements, signer) && isSignedBy(signer, digest, signature),
      );
      const missing = describeMissing(requirements, valid);
      if (missing !== null) await store.move(row, 'approving', { reason: missing });
      else if (!(await isHeldBack(row))) return sortedOut(requirements, valid);
      return null;
    },
  };
}
