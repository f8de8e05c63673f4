import { FirmproofError, isFirmproofError } from '@firmproof/protocol';
import { RpcRefusal } from '@firmproof/protocol/node';
import type { Contracts } from '../chain/contracts.ts';
import type { Relayer } from '../chain/relayer.ts';
import type { Approvals } from './approvals.ts';
import { deadlineOf, isOnlyEarly } from './patience.ts';
import { type ProposalStore, requestOf, type StoredProposal } from './proposal-store.ts';

export type ProposalWorker = ReturnType<typeof createProposalWorker>;

/** How often a transaction that is in no block is handed to the network again, in passes of the worker. */
const passesBeforeSendingAgain = 5;

/**
 * Carries proposals from received to confirmed. Each pass looks at what the database and the chain say *now*, so a pass
 * after a crash, a reorganisation or somebody else's relaying is a pass like any other.
 */
export function createProposalWorker(options: {
  readonly store: ProposalStore;
  readonly contracts: Contracts;
  readonly approvals: Approvals;
  readonly relayer: Relayer;
  readonly nowSeconds: () => number;
}) {
  const { store, contracts, approvals, relayer } = options;
  const waits = new Map<string, number>();
  /** The block at which a waiting proposal was last found to be in order, but for its approvals. */
  const judgedAt = new Map<string, number>();

  /** Answers whether it waits for people, and so holds up nothing that comes after it. */
  async function advance(row: StoredProposal, finalBlock: number): Promise<boolean> {
    switch (row.state) {
      case 'received':
        // Intake opens a proposal only once all that it brought is safe on disk.
        await store.move(row, 'stored');
        return false;
      case 'stored':
        await store.move(row, 'approving');
        return false;
      case 'approving':
        return approve(row, finalBlock);
      case 'submitted':
        await confirm(row, finalBlock);
    }
    return false;
  }

  /** With all approvals, the contract itself judges them before gas is spent. */
  async function approve(row: StoredProposal, finalBlock: number): Promise<boolean> {
    const request = requestOf(row);
    if (await contracts.shows(request, row.product, 'latest')) {
      await store.move(row, 'submitted');
      return false;
    }
    if (deadlineOf(request) < options.nowSeconds())
      throw new FirmproofError('approval-expired', 'the deadline has passed before everybody had approved');
    const given = await approvals.collect(row);
    if (given === null) {
      await requireStillPossible(row, finalBlock);
      return true;
    }
    judgedAt.delete(row.id);
    const call = contracts.call(request, given);
    const early = await contracts.simulate(call, relayer.address).then(
      () => null,
      async (error: unknown) => {
        if (isFirmproofError(error) && (await isOnlyEarly(store, request, row.held === 1, error))) return error;
        throw error;
      },
    );
    if (early !== null) {
      await store.move(row, 'approving', { reason: { code: early.code, message: early.message } });
      return true;
    }
    const transaction = await relayer.sign(call.to, call.data);
    // Stored before it is sent: after a crash the same transaction goes out again, never a second one.
    await store.move(row, 'submitted', { transaction });
    await relayer.send(transaction);
    return false;
  }

  /** Nobody should be asked to approve what can never be accepted. Looked at once a block. */
  async function requireStillPossible(row: StoredProposal, finalBlock: number): Promise<void> {
    if (judgedAt.get(row.id) === finalBlock) return;
    const request = requestOf(row);
    await contracts.simulateUnapproved(request, relayer.address).catch(async (error: unknown) => {
      if (!(await isOnlyEarly(store, request, row.held === 1, error))) throw error;
    });
    judgedAt.set(row.id, finalBlock);
  }

  async function confirm(row: StoredProposal, finalBlock: number): Promise<void> {
    const request = requestOf(row);
    const receipt = row.transaction_hash === null ? null : await relayer.receipt(row.transaction_hash);
    const ownIsFinal = receipt?.succeeded === true && receipt.block <= finalBlock;
    if (ownIsFinal || (await contracts.shows(request, row.product, finalBlock))) {
      waits.delete(row.id);
      return store.move(row, 'confirmed');
    }
    if (receipt?.succeeded === true || (await contracts.shows(request, row.product, 'latest'))) return;
    // Mined and refused, or made by a relayer that never signed: the contract says why when it is asked again.
    if (receipt !== null || row.raw_transaction === null) return startOver(row);
    const passes = (waits.get(row.id) ?? 0) + 1;
    waits.set(row.id, passes);
    if (passes % passesBeforeSendingAgain === 0) await sendAgain(row, row.raw_transaction);
  }

  async function sendAgain(row: StoredProposal, raw: string): Promise<void> {
    try {
      await relayer.send({ raw });
    } catch (error) {
      if (!(error instanceof RpcRefusal)) throw error;
      // Its nonce is used up: it can never be mined, so a new one is made.
      await startOver(row);
    }
  }

  async function startOver(row: StoredProposal): Promise<void> {
    waits.delete(row.id);
    await store.move(row, 'approving', { transaction: null });
  }

  return {
    /**
     * One pass over everything unfinished, each product's proposals in the order in which they came. A proposal that waits
     * or fails never holds up those of other products.
     */
    async pass(finalBlock: number): Promise<void> {
      const busy = new Set<string>();
      for (const row of await store.unfinished()) {
        const builds = busy.has(row.product);
        const waits = await advance(row, finalBlock).catch(async (error) => {
          await judge(row, asFailure(error), builds);
          return false;
        });
        if (!waits) busy.add(row.product);
      }
    },
  };

  /** `builds`: an earlier proposal of the same product is under way, so a refusal may only mean "not yet". */
  async function judge(row: StoredProposal, failure: FirmproofError, builds: boolean): Promise<void> {
    const reason = { code: failure.code, message: failure.message };
    if (waitingCodes.includes(failure.code) || (builds && failure.code !== 'approval-expired')) {
      return store.move(row, row.state as 'approving', { reason });
    }
    // Somebody else was faster: the contract refuses what is done already, and the next pass finds it so.
    if (await contracts.shows(requestOf(row), row.product, 'latest').catch(() => false)) return;
    judgedAt.delete(row.id);
    return store.move(row, failure.code === 'approval-expired' ? 'expired' : 'rejected', { reason });
  }
}

const waitingCodes: readonly string[] = ['chain-unreachable', 'relayer-out-of-gas', 'storage-full', 'internal'];

/** A node that refuses to answer says nothing about the proposal: only the contract, when simulated, does. */
function asFailure(error: unknown): FirmproofError {
  if (isFirmproofError(error)) return error;
  return error instanceof RpcRefusal
    ? new FirmproofError('chain-unreachable', `the RPC node refuses: ${error.message}`, { cause: error })
    : new FirmproofError('internal', String(error), { cause: error });
}
